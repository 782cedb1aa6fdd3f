"""Makes small models and records what ONNX Runtime says of images/gray.png.

    python make_models.py

writes models/fifty.onnx (224 x 224 NHWC and 50 outputs, as the original
hydraulics has them), models/external.onnx (the same with its weights in
external.data) and models.json. Packages and versions are in
examples/train-classifier/requirements.txt.
"""

import json
import os

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))


def model():
    w = np.sin(np.arange(150, dtype=np.float32)).reshape(3, 50) * 3
    nodes = [
        helper.make_node("Transpose", ["input"], ["t"], perm=[0, 3, 1, 2]),
        helper.make_node("GlobalAveragePool", ["t"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["m"]),
        helper.make_node("Softmax", ["m"], ["probabilities"]),
    ]
    graph = helper.make_graph(
        nodes,
        "fifty",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 224, 224, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", 50])],
        [numpy_helper.from_array(w, "w")],
    )
    m = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], producer_name="make_models.py")
    m.ir_version = 8
    return m


def main():
    folder = os.path.join(HERE, "models")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "fifty.onnx")
    onnx.save(model(), path)
    other = os.path.join(folder, "external.data")
    if os.path.exists(other):
        os.remove(other)  # it would be appended to
    onnx.save(model(), os.path.join(folder, "external.onnx"), save_as_external_data=True, location="external.data", size_threshold=0)
    image = Image.open(os.path.join(HERE, "images", "gray.png")).convert("RGB").resize((224, 224), Image.Resampling.NEAREST)
    x = np.asarray(image, np.float32)[None] / np.float32(255)
    scores = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"input": x})[0][0]
    doc = {
        "made_by": f"make_models.py: onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, numpy {np.__version__}",
        "best": int(scores.argmax()),
        "prob": float(str(scores.max())),
    }
    with open(os.path.join(HERE, "models.json"), "w") as f:
        json.dump(doc, f)
        f.write("\n")


if __name__ == "__main__":
    main()
