"""Makes concentration.json: bins, particles, and what the views of
configs/migrations/002_ifcb_bins.sql have to say of them, computed here by
plain loops. Standard library only.

    python3 concentration.py > concentration.json
"""
import json
import math
import random
from collections import defaultdict

CLASSES = {"Alexandrium": True, "Ditylum": False, "Tintinnida": False, "unclassified": False}
START = 1564272000  # 2019-07-28T00:00:00Z


def world(rng):
    bins, stats = [], []
    for number in range(40):
        time = START + number * 4567 + rng.randrange(900)  # 50 hours, several days
        instrument = rng.choice(["IFCB104", "IFCB104", "IFCB12"])
        status = rng.choice(["complete"] * 6 + ["partial", "empty", "failed", "skipped"])
        volume = rng.choice([round(rng.uniform(0.5, 5), 3)] * 5 + [None, 0.0, -0.25])
        images = 0 if status in ("empty", "failed") else rng.randrange(1, 25)
        failed = rng.randrange(1, 9) if status in ("partial", "failed") else 0
        if rng.random() > 0.15:
            bins.append({"time": time, "ifcb_id": instrument, "status": status, "ingested": images, "failed": failed, "ml_analyzed": volume})
        for roi in range(2, 2 + images):
            name = rng.choice(list(CLASSES))
            stats.append({"time": time, "ifcb_id": instrument, "roi": roi, "name": name, "hab": CLASSES[name],
                          "biovolume": rng.uniform(50, 50000), "carbon": rng.uniform(5, 900)})
    return bins, stats


def usable(b):
    return b is not None and b["status"] in ("complete", "partial", "empty") and b["ml_analyzed"] is not None and b["ml_analyzed"] > 0


def per_ml(rows, volume):
    if volume is None:
        return {"cells_per_ml": None, "biovolume_per_ml": None, "carbon_per_ml": None}
    return {"cells_per_ml": len(rows) / volume, "biovolume_per_ml": math.fsum(r["biovolume"] for r in rows) / volume,
            "carbon_per_ml": math.fsum(r["carbon"] for r in rows) / volume}


def total(rows):
    return {"cells": len(rows), "biovolume": math.fsum(r["biovolume"] for r in rows), "carbon": math.fsum(r["carbon"] for r in rows)}


def by_bin(bins, stats):
    ledger = {(b["time"], b["ifcb_id"]): b for b in bins}
    groups = defaultdict(list)
    for r in stats:
        groups[r["time"], r["ifcb_id"], r["name"]].append(r)
    out = []
    for (time, instrument, name), rows in sorted(groups.items()):
        b = ledger.get((time, instrument))
        reason = None
        if b is None:
            reason = "the bin is not in ifcb_bins"
        elif b["status"] in ("failed", "skipped"):
            reason = "the bin is " + b["status"]
        elif b["ml_analyzed"] is None:
            reason = "the volume is unknown"
        elif b["ml_analyzed"] <= 0:
            reason = f"the volume is {b['ml_analyzed']:g}"
        out.append({"time": time, "ifcb_id": instrument, "name": name, "hab": CLASSES[name], **total(rows),
                    **per_ml(rows, b["ml_analyzed"] if usable(b) else None), "reason": reason})
    return out


def by_period(bins, stats, seconds):
    ledger = {(b["time"], b["ifcb_id"]): b for b in bins}
    water, seen = defaultdict(list), defaultdict(list)
    for b in bins:
        water[b["time"] // seconds * seconds, b["ifcb_id"]].append(b)
    for r in stats:
        seen[r["time"] // seconds * seconds, r["ifcb_id"], r["name"]].append(r)
    out = []
    for (time, instrument, name), rows in sorted(seen.items()):
        known = water.get((time, instrument), [])
        volume = math.fsum(b["ml_analyzed"] for b in known if usable(b)) or None
        reason = None
        if not known:
            reason = "no bin of the period is in ifcb_bins"
        elif volume is None:
            reason = "no bin of the period has a volume"
        measured = [r for r in rows if usable(ledger.get((r["time"], r["ifcb_id"])))]
        out.append({"time": time, "ifcb_id": instrument, "name": name, "hab": CLASSES[name], **total(rows), **per_ml(measured, volume),
                    "bins": len(known), "bins_without_volume": sum(not usable(b) for b in known), "failed": sum(b["failed"] for b in known),
                    "reason": reason})
    return out


def main():
    bins, stats = world(random.Random(4))
    expected = {"bin": by_bin(bins, stats), "hour": by_period(bins, stats, 3600), "day": by_period(bins, stats, 86400)}
    parts = {"bins": bins, "stats": stats, **{"concentration_" + k: v for k, v in expected.items()}}
    print("{" + ",\n".join(json.dumps(k) + ": [\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]" for k, rows in parts.items()) + "}")


main()
