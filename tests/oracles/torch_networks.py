"""Networks in PyTorch, written from the papers, with the names of torchvision's weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn


def conv(inputs: int, outputs: int, size: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)


class Bottleneck(nn.Module):
    def __init__(self, inputs: int, filters: int, stride: int, first: bool) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, filters), nn.BatchNorm2d(filters)
        self.conv2, self.bn2 = conv(filters, filters, 3, stride), nn.BatchNorm2d(filters)
        self.conv3, self.bn3 = conv(filters, 4 * filters), nn.BatchNorm2d(4 * filters)
        if first:
            self.downsample = nn.Sequential(conv(inputs, 4 * filters, 1, stride), nn.BatchNorm2d(4 * filters))

    def forward(self, x: Any) -> Any:
        shortcut = self.downsample(x) if hasattr(self, "downsample") else x
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return torch.relu(self.bn3(self.conv3(y)) + shortcut)


class ResNet(nn.Module):
    def __init__(self, depths: Sequence[int], classes: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(3, 64, 7, 2), nn.BatchNorm2d(64)
        inputs = 64
        for stage, (filters, depth) in enumerate(zip((64, 128, 256, 512), depths, strict=True), 1):
            blocks = []
            for index in range(depth):
                blocks.append(Bottleneck(inputs, filters, 2 if stage > 1 and index == 0 else 1, index == 0))
                inputs = 4 * filters
            self.add_module(f"layer{stage}", nn.Sequential(*blocks))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x: Any) -> Any:
        x = nn.functional.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in range(1, 5):
            x = getattr(self, f"layer{stage}")(x)
        return self.fc(x.mean((2, 3)))


class VGG(nn.Module):
    def __init__(self, depths: Sequence[int], classes: int, positions: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for filters, depth in zip((64, 128, 256, 512, 512), depths, strict=True):
            for _ in range(depth):
                layers += [nn.Conv2d(inputs, filters, 3, padding=1), nn.ReLU()]
                inputs = filters
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        dense = [nn.Linear(512 * positions, 4096), nn.ReLU(), nn.Dropout(), nn.Linear(4096, 4096), nn.ReLU()]
        self.classifier = nn.Sequential(*dense, nn.Dropout(), nn.Linear(4096, classes))

    def forward(self, x: Any) -> Any:
        return self.classifier(self.features(x).flatten(1))


class DenseLayer(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, 128)
        self.norm2, self.conv2 = nn.BatchNorm2d(128), conv(128, 32, 3)

    def forward(self, x: Any) -> Any:
        y = self.conv1(torch.relu(self.norm1(x)))
        return torch.cat([x, self.conv2(torch.relu(self.norm2(y)))], 1)


class DenseNet(nn.Module):
    def __init__(self, depths: Sequence[int], classes: int) -> None:
        super().__init__()
        features = {"conv0": conv(3, 64, 7, 2), "norm0": nn.BatchNorm2d(64), "relu0": nn.ReLU()}
        features["pool0"] = nn.MaxPool2d(3, 2, 1)
        inputs = 64
        for stage, depth in enumerate(depths, 1):
            block = nn.Sequential()
            for index in range(1, depth + 1):
                block.add_module(f"denselayer{index}", DenseLayer(inputs))
                inputs += 32
            features[f"denseblock{stage}"] = block
            if stage < len(depths):
                transition = nn.Sequential()
                for name, part in (("norm", nn.BatchNorm2d(inputs)), ("relu", nn.ReLU())):
                    transition.add_module(name, part)
                transition.add_module("conv", conv(inputs, inputs // 2))
                transition.add_module("pool", nn.AvgPool2d(2))
                features[f"transition{stage}"] = transition
                inputs //= 2
        self.features = nn.Sequential()
        for name, part in (features | {"norm5": nn.BatchNorm2d(inputs)}).items():
            self.features.add_module(name, part)
        self.classifier = nn.Linear(inputs, classes)

    def forward(self, x: Any) -> Any:
        return self.classifier(torch.relu(self.features(x)).mean((2, 3)))


def activated(inputs: int, outputs: int, size: int = 1, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(conv(inputs, outputs, size, stride, groups), nn.BatchNorm2d(outputs), nn.ReLU6())


class InvertedResidual(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        start = [] if expansion == 1 else [activated(inputs, inner)]
        self.conv = nn.Sequential(
            *start, activated(inner, inner, 3, stride, inner), conv(inner, outputs), nn.BatchNorm2d(outputs)
        )
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Any) -> Any:
        return x + self.conv(x) if self.shortcut else self.conv(x)


class MobileNetV2(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        stages = (
            (1, 16, 1, 1),
            (6, 24, 2, 2),
            (6, 32, 3, 2),
            (6, 64, 4, 2),
            (6, 96, 3, 1),
            (6, 160, 3, 2),
            (6, 320, 1, 1),
        )
        features, inputs = [activated(3, 32, 3, 2)], 32
        for expansion, outputs, depth, stride in stages:
            for index in range(depth):
                features.append(InvertedResidual(inputs, outputs, 1 if index else stride, expansion))
                inputs = outputs
        self.features = nn.Sequential(*features, activated(inputs, 1280))
        self.classifier = nn.Sequential(nn.Dropout(), nn.Linear(1280, classes))

    def forward(self, x: Any) -> Any:
        return self.classifier(self.features(x).mean((2, 3)))
