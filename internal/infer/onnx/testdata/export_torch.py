"""Exports torchvision's networks as PyTorch does: channels first, logits out.

    /usr/bin/python3 export_torch.py FOLDER [NAME...]

writes FOLDER/torch-NAME.onnx for all networks below or those named, except what
is there already. Debian: apt install python3-torch python3-torchvision python3-onnx
"""

import os
import sys
import warnings

import onnx
import torch
import torchvision

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
    "flat": (Flat, 65, {}),
    "flat-dynamic": (Flat, 65, {"dynamic_axes": {"input": {0: "batch"}, "logits": {0: "batch"}}}),
}


def randomise(net):
    """Batch norms that change something, and logits that spread by about 1.5."""
    for layer in net.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.weight.data.uniform_(0.5, 1.5)
            layer.bias.data.uniform_(-0.3, 0.3)
            layer.running_mean.uniform_(-0.3, 0.3)
            layer.running_var.uniform_(0.5, 1.5)


def calibrate(net, size):
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
        external = options.pop("external", False)
        torch.manual_seed(1)
        net = make()
        randomise(net)
        net.eval()
        calibrate(net, size)
        torch.onnx.export(net, torch.rand(1, 3, size, size), path + ".new", input_names=["input"], output_names=["logits"], **options)
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
