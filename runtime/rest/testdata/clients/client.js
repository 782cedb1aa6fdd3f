// Runs the whole surface of kafka-connect-client, a published client over axios, against a worker: client.js URL
const assert = require("assert");
const { KafkaConnectClient } = require("kafka-connect-client");

const url = new URL(process.argv[2]);
const client = new KafkaConnectClient({ protocol: "http", host: url.hostname, port: url.port });
const config = { "connector.class": "FileStreamSource", "tasks.max": "1", file: "lines.txt", topic: "js-lines" };
const patience = 300e3;

async function until(what, ask) {
  for (const end = Date.now() + patience; !(await ask()); await new Promise((resolve) => setTimeout(resolve, 50))) {
    assert(Date.now() < end, what);
  }
}

async function main() {
  const js = client.connector("js");
  const reaches = (...want) =>
    until(`state ${want}`, async () => {
      const { data } = await js.getStatus();
      return String([data.connector.state, ...data.tasks.map((t) => t.state)]) === String(want);
    });
  const running = () => reaches("RUNNING", "RUNNING");

  assert((await client.getCluster()).data.version);
  assert((await client.getConnectorPlugins()).data.length > 0);
  assert((await client.getConnectorPlugins({ connectorsOnly: false })).data.some((p) => p.type === "transformation"));
  assert.strictEqual((await client.validateConnectorConfig("FileStreamSource", { ...config, name: "js" })).data.error_count, 0);
  assert.strictEqual((await client.createConnector("js", config)).status, 201);
  await running();
  assert((await client.getConnectors()).data.includes("js"));
  await client.getConnectors({ expand: ["status", "info"] });
  assert.strictEqual((await js.get()).data.type, "source");
  assert.strictEqual((await js.getConfig()).data.topic, "js-lines");
  assert.strictEqual((await js.updateConfig({ ...config, "batch.size": "10" })).status, 200);
  await running();
  assert.deepStrictEqual((await js.getTasks()).data[0].id, { connector: "js", task: 0 });
  assert.strictEqual((await js.getTaskStatus(0)).data.id, 0);
  await assert.rejects(js.getTopics(), TypeError); // it takes the text of the answer for an object, whoever gives it
  assert.strictEqual((await js.resetTopics()).status, 202);
  await until("offsets", async () => (await js.getOffsets()).data.offsets.length === 1);
  assert.strictEqual((await js.restart()).status, 204);
  await running();
  assert((await js.restart({ includeTasks: true })).status < 300); // it sends the options as a body
  await running();
  assert.strictEqual((await js.restartTask(0)).status, 204);
  await running();
  assert.strictEqual((await js.pause()).status, 202); // without a body, and as a form
  await reaches("PAUSED", "PAUSED");
  assert.strictEqual((await js.resume()).status, 202);
  await running();
  await assert.rejects(js.resetOffsets(), (e) => e.response.status === 400 && /must be in the STOPPED state/.test(e.response.data.message));
  assert.strictEqual((await js.stop()).status, 204);
  await reaches("STOPPED");
  const partition = { filename: "lines.txt" };
  await js.alterOffsets([{ partition, offset: { position: 4 } }]);
  assert.deepStrictEqual((await js.getOffsets()).data, { offsets: [{ partition, offset: { position: 4 } }] });
  assert(/have been reset successfully/.test((await js.resetOffsets()).data.message));
  assert.deepStrictEqual((await js.getOffsets()).data, { offsets: [] });
  assert.strictEqual((await js.delete()).status, 204);
  await assert.rejects(js.get(), (e) => e.response.status === 404);
  assert.strictEqual((await js.create(config)).status, 201);
  await js.delete();
  console.log("passed: kafka-connect-client");
}

main().catch((e) => {
  console.error(e);
  process.exit(1);
});
