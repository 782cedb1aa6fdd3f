"""Exports torchvision's and timm's networks as PyTorch does: channels first, logits out.

    /usr/bin/python3 export_torch.py FOLDER [NAME...]

writes FOLDER/torch-NAME.onnx for all networks below or those named, except what
is there already. Debian: apt install python3-torch python3-torchvision python3-onnx;
those of today want PyPI's torch, torchvision and timm instead, and NAMEs are left
out where timm is not there.
"""

import importlib.util
import inspect
import os
import sys
import warnings

import onnx
import torch
import torchvision

CLASSES = 50
# The exporter by TorchScript, which newer versions no longer take by themselves.
SCRIPT = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}


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
    """A network of timm, which is imported only where one is wanted."""

    def make():
        import timm

        return timm.create_model(name, num_classes=CLASSES, **options)

    return make


# name: network, size, options of the export
NETS = {
    "resnet18": (of("resnet18"), 224, {}),
    "resnet18-dynamic": (of("resnet18"), 224, {"dynamic_axes": {"input": {0: "batch"}, "logits": {0: "batch"}}}),
    "resnet18-open": (of("resnet18"), 224, {"dynamic_axes": {"input": {0: "batch", 2: "height", 3: "width"}, "logits": {0: "batch"}}}),
    "resnet18-batchnorm": (of("resnet18"), 224, {"training": torch.onnx.TrainingMode.PRESERVE}),
    "resnet18-external": (of("resnet18"), 224, {"external": True}),
    "resnet18-64": (of("resnet18"), 64, {}),
    "resnet50": (of("resnet50"), 224, {}),
    "mobilenetv2": (of("mobilenet_v2"), 224, {}),
    "mobilenetv3small": (of("mobilenet_v3_small"), 224, {}),
    "densenet121": (of("densenet121"), 224, {}),
    "densenet121-dynamic": (of("densenet121"), 224, {"dynamic_axes": {"input": {0: "batch"}, "logits": {0: "batch"}}}),
    "efficientnetb0": (of("efficientnet_b0"), 224, {}),
    "inceptionv3": (inception, 299, {}),
    "shufflenetv2": (of("shufflenet_v2_x1_0"), 224, {}),
    "convnext-tiny": (of("convnext_tiny"), 224, {}),
    "vit-b-16": (of("vit_b_16"), 224, {}),
    "swin-t": (of("swin_t"), 224, {}),
    "swin-v2-t": (of("swin_v2_t"), 256, {}),
    "maxvit-t": (maxvit, 224, {}),
    "timm-vit-tiny": (timm_of("vit_tiny_patch16_224"), 224, {}),
    "timm-deit-tiny": (timm_of("deit_tiny_patch16_224"), 224, {}),
    "timm-beit-base": (timm_of("beit_base_patch16_224"), 224, {}),
    "timm-dinov2-small": (timm_of("vit_small_patch14_dinov2", img_size=224), 224, {}),
    "timm-convnextv2-atto": (timm_of("convnextv2_atto"), 224, {}),
    "timm-mobilevit-s": (timm_of("mobilevit_s"), 256, {}),
    "timm-ghostnet": (timm_of("ghostnet_100"), 224, {}),
    "timm-efficientnetv2-b0-dynamic": (timm_of("tf_efficientnetv2_b0"), 224, {"dynamic_axes": {"input": {0: "batch"}, "logits": {0: "batch"}}}),
    "flat": (Flat, 65, {}),
    "flat-dynamic": (Flat, 65, {"dynamic_axes": {"input": {0: "batch"}, "logits": {0: "batch"}}}),
}


def randomise(net):
    """Norms that change something, and branches that count: fresh networks of today scale theirs by next to nothing."""
    for name, weight in net.named_parameters():
        if weight.dim() == 1 and name.endswith("bias"):
            weight.data.uniform_(-0.1, 0.1)
        elif weight.dim() == 1 or "gamma" in name or "layer_scale" in name or "grn" in name:
            weight.data.uniform_(0.7, 1.3)
        elif not weight.data.any():
            weight.data.normal_(0, 0.02)
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.weight.data.uniform_(0.5, 1.5)
            layer.bias.data.uniform_(-0.3, 0.3)
            layer.running_mean.uniform_(-0.3, 0.3)
            layer.running_var.uniform_(0.5, 1.5)


def calibrate(net, size):
    """Logits that spread by about 1.5."""
    last = [layer for layer in net.modules() if isinstance(layer, torch.nn.Linear)][-1]
    with torch.no_grad():
        spread = net(torch.rand(1, 3, size, size)).std()
        last.weight.mul_(1.5 / spread)


def main():
    folder = sys.argv[1]
    warnings.simplefilter("ignore")
    os.makedirs(folder, exist_ok=True)
    for name in sys.argv[2:] or NETS:
        path = os.path.join(folder, f"torch-{name}.onnx")
        if os.path.exists(path):
            continue
        make, size, options = NETS[name]
        if name.startswith("timm-") and not importlib.util.find_spec("timm"):
            continue
        external = options.pop("external", False)
        torch.manual_seed(1)
        net = make()
        randomise(net)
        net.eval()
        calibrate(net, size)
        torch.onnx.export(net, torch.rand(1, 3, size, size), path + ".new", input_names=["input"], output_names=["logits"], **SCRIPT, **options)
        if external:
            model = onnx.load(path + ".new")
            os.remove(path + ".new")
            onnx.save(model, path, save_as_external_data=True, location=os.path.basename(path) + ".data", size_threshold=1024)
        else:
            os.replace(path + ".new", path)
        print(path, os.path.getsize(path), flush=True)
    with open(os.path.join(folder, "torch-versions.txt"), "w") as f:
        f.write(f"torch {torch.__version__}, torchvision {torchvision.__version__}, onnx {onnx.__version__} (python {sys.version.split()[0]})\n")


if __name__ == "__main__":
    main()
