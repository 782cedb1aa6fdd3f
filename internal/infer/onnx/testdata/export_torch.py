"""Exports the networks of torchvision, timm and Ultralytics as PyTorch does: channels first, logits out.

    python export_torch.py FOLDER [NAME...]

writes FOLDER/torch-NAME.onnx for all networks below or those named, except what
is there already: by TorchScript and, those whose names say dynamo, by
torch.export. Packages and versions are in requirements.txt beside it.
"""

import os
import sys
import tempfile
import warnings

import onnx
import timm
import torch
import torchvision
import ultralytics
from ultralytics.nn.tasks import ClassificationModel

CLASSES = 50


class Flat(torch.nn.Module):
    """Old habits of PyTorch's users: view by the batch's size, groups, average pool with padding, ceil mode."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 16, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(16)
        self.group = torch.nn.Conv2d(16, 32, 3, stride=2, groups=4, bias=False)
        self.fc = torch.nn.Linear(32 * 8 * 8, CLASSES)

    def forward(self, x):
        x = torch.nn.functional.leaky_relu(self.norm(self.conv(x)), 0.1)
        x = torch.nn.functional.max_pool2d(x, 3, 2, ceil_mode=True)
        x = torch.nn.functional.silu(self.group(x))
        x = torch.nn.functional.avg_pool2d(x, 3, 2, padding=1)
        return self.fc(x.view(x.size(0), -1))


def of(name):
    return lambda: getattr(torchvision.models, name)(weights=None, num_classes=CLASSES)


def inception():
    return torchvision.models.inception_v3(weights=None, num_classes=CLASSES, aux_logits=False, init_weights=False)


def maxvit():
    return torchvision.models.maxvit_t(weights=None, num_classes=CLASSES, input_size=(224, 224))


def timm_of(name, **options):
    return lambda: timm.create_model(name, num_classes=CLASSES, **options)


def yolo_of(name):
    """A classifier of Ultralytics as its own export makes it, which ends in a softmax."""

    def make():
        net = ClassificationModel(name + ".yaml", nc=CLASSES, verbose=False)
        net.model[-1].export = True
        return net

    return make


# name: network, size
NETS = {
    "resnet18": (of("resnet18"), 224),
    "resnet18-64": (of("resnet18"), 64),
    "resnet50": (of("resnet50"), 224),
    "mobilenetv2": (of("mobilenet_v2"), 224),
    "mobilenetv3small": (of("mobilenet_v3_small"), 224),
    "densenet121": (of("densenet121"), 224),
    "efficientnetb0": (of("efficientnet_b0"), 224),
    "efficientnetv2-s": (of("efficientnet_v2_s"), 224),
    "inceptionv3": (inception, 299),
    "shufflenetv2": (of("shufflenet_v2_x1_0"), 224),
    "convnext-tiny": (of("convnext_tiny"), 224),
    "vit-b-16": (of("vit_b_16"), 224),
    "swin-t": (of("swin_t"), 224),
    "swin-v2-t": (of("swin_v2_t"), 256),
    "maxvit-t": (maxvit, 224),
    "timm-vit-tiny": (timm_of("vit_tiny_patch16_224"), 224),
    "timm-vit-small": (timm_of("vit_small_patch16_224"), 224),
    "timm-deit-tiny": (timm_of("deit_tiny_patch16_224"), 224),
    "timm-beit-base": (timm_of("beit_base_patch16_224", exportable=True), 224),  # torch.export knows not its fused attention
    "timm-dinov2-small": (timm_of("vit_small_patch14_dinov2", img_size=224), 224),
    "timm-convnextv2-atto": (timm_of("convnextv2_atto"), 224),
    "timm-swin-tiny": (timm_of("swin_tiny_patch4_window7_224"), 224),
    "timm-swinv2-tiny": (timm_of("swinv2_tiny_window8_256"), 256),
    "timm-maxvit-rmlp-pico": (timm_of("maxvit_rmlp_pico_rw_256"), 256),
    "timm-mobilevit-s": (timm_of("mobilevit_s"), 256),
    "timm-mobilevitv2-050": (timm_of("mobilevitv2_050"), 256),
    "timm-ghostnet": (timm_of("ghostnet_100"), 224),
    "timm-efficientnetv2-b0": (timm_of("tf_efficientnetv2_b0"), 224),
    "yolov8n-cls": (yolo_of("yolov8n-cls"), 224),
    "yolo11n-cls": (yolo_of("yolo11n-cls"), 224),
    "flat": (Flat, 65),
}
# ending of the name: options of the export
BATCH = {"dynamic_axes": {"input": {0: "batch"}, "logits": {0: "batch"}}}
OPEN = {"dynamic_axes": {"input": {0: "batch", 2: "height", 3: "width"}, "logits": {0: "batch"}}}
SCRIPT = {"": {}, "-dynamic": BATCH}
DYNAMO = {"-dynamo": {"dynamo": True}, "-dynamo-dynamic": {"dynamo": True, "dynamic_shapes": ({0: torch.export.Dim("batch")},)}}
# Further exports of one network, which have their weights elsewhere, or leave more to the reader.
RESNET18 = {
    "-open": OPEN,
    "-batchnorm": {"training": torch.onnx.TrainingMode.PRESERVE},
    "-external": {"external": True},
    "-dynamo-external": {"dynamo": True, "external": True},
}


def exports(names):
    """name, network, size and options of the exports that are asked for."""
    for net, (make, size) in NETS.items():
        for end, options in (SCRIPT | DYNAMO | (RESNET18 if net == "resnet18" else {})).items():
            if not names or net + end in names:
                yield net + end, make, size, options


def randomise(net, size):
    """Norms that change something, and branches that count: fresh networks of today scale theirs by next to nothing,
    and what batch norms do not bring back to its range dies out on the way."""
    for name, weight in net.named_parameters():
        if weight.dim() == 1 and name.endswith("bias"):
            weight.data.uniform_(-0.1, 0.1)
        elif weight.dim() == 1 or "gamma" in name or "layer_scale" in name or "grn" in name:
            weight.data.uniform_(0.7, 1.3)
        elif not weight.data.any():
            weight.data.normal_(0, 0.02)
    net.eval()
    norms = [layer for layer in net.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    for layer in norms:
        layer.weight.data.uniform_(0.5, 1.5)
        layer.bias.data.uniform_(-0.3, 0.3)
        layer.train()
        layer.momentum = 1.0  # the statistics of one batch
    if norms:
        with torch.no_grad():
            net(torch.rand(4, 3, size, size))
    net.eval()


def calibrate(net, size):
    """Logits that spread by about 1.5, of what the network computes and not of the last bias."""
    last = [layer for layer in net.modules() if isinstance(layer, torch.nn.Linear)][-1]
    logits = []
    hook = last.register_forward_hook(lambda layer, x, y: logits.append(y if layer.bias is None else y - layer.bias))
    with torch.no_grad():
        net(torch.rand(1, 3, size, size))
        last.weight.mul_(1.5 / logits[0].std())
    hook.remove()


def export(net, size, path, external=False, dynamo=False, **options):
    """Writes a file as a whole, with its weights beside it where that is wanted."""
    if dynamo:
        options |= {"external_data": external, "verbose": False}
    # Three images where the batch is free: torch.export takes a batch of one for a constant.
    x = torch.rand(3 if "dynamic_shapes" in options else 1, 3, size, size)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as new:
        to = os.path.join(new, os.path.basename(path))
        torch.onnx.export(net, (x,), to, input_names=["input"], output_names=["logits"], dynamo=dynamo, **options)
        if external and not dynamo:
            onnx.save(onnx.load(to), to, save_as_external_data=True, location=os.path.basename(path) + ".data", size_threshold=1024)
        for name in sorted(os.listdir(new), reverse=True):  # the weights first
            os.replace(os.path.join(new, name), os.path.join(os.path.dirname(path), name))


def main():
    folder = sys.argv[1]
    warnings.simplefilter("ignore")
    os.makedirs(folder, exist_ok=True)
    refused = []
    for name, make, size, options in exports(sys.argv[2:]):
        path = os.path.join(folder, f"torch-{name}.onnx")
        if os.path.exists(path):
            continue
        torch.manual_seed(1)
        net = make()
        randomise(net, size)
        calibrate(net, size)
        try:
            export(net, size, path, **options)
        except Exception as e:  # the exporter's own limits: the report names them
            refused.append(name)
            print(f"{name}: {type(e).__name__}: {e}", file=sys.stderr)
            continue
        print(path, os.path.getsize(path), flush=True)
    with open(os.path.join(folder, "torch-versions.txt"), "w") as f:
        f.write(f"torch {torch.__version__}, torchvision {torchvision.__version__}, timm {timm.__version__}, ultralytics {ultralytics.__version__}, onnx {onnx.__version__} (python {sys.version.split()[0]})\n")
        if refused:
            f.write(f"- the exporter failed on {', '.join(refused)}\n")


if __name__ == "__main__":
    main()
