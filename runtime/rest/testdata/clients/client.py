"""Runs the whole surface of kafka-connect-py, a published client, against a worker: client.py URL"""
import sys
import time

from kafka_connect import KafkaConnect

client = KafkaConnect(url=sys.argv[1])
CONFIG = {"connector.class": "FileStreamSource", "tasks.max": "1", "file": "lines.txt", "topic": "py-lines"}
PATIENCE = 300


def until(what, ask):
    end = time.monotonic() + PATIENCE
    while not ask():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def state():
    status = client.get_connector_status("py")
    return [status["connector"]["state"]] + [task["state"] for task in status["tasks"]]


def reaches(*want):
    until(f"state {want}", lambda: state() == list(want))


assert set(client.get_cluster_info()) == {"version", "commit", "kafka_cluster_id"}
assert any(p["class"].endswith(".FileStreamSourceConnector") for p in client.list_connector_plugins())
assert client.validate_connector_config("FileStreamSource", dict(CONFIG, name="py"))["error_count"] == 0
assert client.create_connector({"name": "py", "config": CONFIG})["name"] == "py"
reaches("RUNNING", "RUNNING")
assert client.get_connector("py")["type"] == "source"
assert client.get_connector_config("py")["topic"] == "py-lines"
assert client.update_connector("py", dict(CONFIG, **{"batch.size": "10"}))["config"]["batch.size"] == "10"
reaches("RUNNING", "RUNNING")
assert client.list_connector_tasks("py")[0]["id"] == {"connector": "py", "task": 0}
assert client.get_connector_task_status("py", 0)["id"] == 0
until("topics", lambda: client.list_connector_topics("py") == {"py": {"topics": ["py-lines"]}})
client.reset_connector_topics("py")
assert "py" in client.list_connectors()
assert client.list_connectors(expand="status", pattern="p.", state="RUNNING")["py"]["status"]["name"] == "py"
assert client.list_connectors(expand="info")["py"]["info"]["name"] == "py"
assert client.restart_connector("py") is None
reaches("RUNNING", "RUNNING")
assert client.restart_connector("py", include_tasks=True, only_failed=True)["name"] == "py"  # as includeTasks=True
assert client.restart_connector("py", include_tasks=True)["tasks"][0]["state"] == "RESTARTING"
client.restart_all_connectors(pattern="py")
client.restart_connector_task("py", 0)
reaches("RUNNING", "RUNNING")
client.pause_connector("py")
reaches("PAUSED", "PAUSED")
client.resume_connector("py")
reaches("RUNNING", "RUNNING")
client.pause_all_connectors(pattern="py")
reaches("PAUSED", "PAUSED")
client.resume_all_connectors(pattern="py")
reaches("RUNNING", "RUNNING")
client.stop_connector("py")
reaches("STOPPED")
client.stop_all_connectors(pattern="py")
client.delete_connector("py")
assert client.create_connector({"name": "py", "config": CONFIG})["name"] == "py"
client.delete_all_connectors(pattern="py")
until("no connector", lambda: "py" not in client.list_connectors())
print("passed: kafka-connect-py")
