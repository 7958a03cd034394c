"""Larger models of `benchmarks.gpu`, in portanet and PyTorch: ResNet-18 on small images, and transformer blocks."""

from __future__ import annotations

from typing import Any

RESNET = (256, 32, 32, 3)
WIDTHS = (64, 128, 256, 512)
RESNET_FIRST, RESNET_OTHERS = 1_769_472, 553_653_248
"""Multiplications of the first convolution, and of the others and the last layer, for an image."""
GPT = (16, 256, 768)
BLOCKS, HEADS = 2, 12


def resnet_layers(layers: Any, widths: tuple[int, ...] = WIDTHS) -> list[Any]:
    """For portanet: two blocks of two convolutions for each width."""
    import portanet

    def convolved(x: Any, width: int, size: int, strides: int = 1) -> Any:
        padding = [(size // 2, size // 2)] * 2
        convolution = layers.Conv2D(width, size, strides=strides, padding=padding, use_bias=False)
        return layers.BatchNormalization()(convolution(x))

    x = image = layers.Input(RESNET[1:])
    x = layers.ReLU()(convolved(x, widths[0], 3))
    for stage, width in enumerate(widths):
        for block in range(2):
            strides = 2 if stage and not block else 1
            y = convolved(layers.ReLU()(convolved(x, width, 3, strides)), width, 3)
            x = convolved(x, width, 1, strides) if strides > 1 else x
            x = layers.ReLU()(layers.Add()([x, y]))
    return [portanet.Model(image, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))]


def resnet_torch(nn: Any, widths: tuple[int, ...] = WIDTHS) -> Any:
    def convolved(inside: int, width: int, size: int, strides: int = 1) -> list[Any]:
        return [nn.Conv2d(inside, width, size, strides, size // 2, bias=False), nn.BatchNorm2d(width)]

    class Block(nn.Module):  # type: ignore[misc]
        def __init__(self, inside: int, width: int, strides: int) -> None:
            super().__init__()
            self.path = nn.Sequential(*convolved(inside, width, 3, strides), nn.ReLU(), *convolved(width, width, 3))
            self.short = nn.Sequential(*convolved(inside, width, 1, strides)) if strides > 1 else nn.Identity()

        def forward(self, x: Any) -> Any:
            return nn.functional.relu(self.path(x) + self.short(x))

    parts, inside = [*convolved(3, widths[0], 3), nn.ReLU()], widths[0]
    for stage, width in enumerate(widths):
        for block in range(2):
            parts.append(Block(inside, width, 2 if stage and not block else 1))
            inside = width
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inside, 10))


def gpt_layers(layers: Any) -> list[Any]:
    """For portanet."""
    blocks = [layers.TransformerEncoder(4 * GPT[-1], HEADS, dropout=0.0, activation="gelu") for _ in range(BLOCKS)]
    return [*blocks, layers.GlobalAveragePooling1D(), layers.Dense(10)]


def gpt_torch(nn: Any) -> Any:
    class Mean(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            width = GPT[-1]
            blocks = [
                nn.TransformerEncoderLayer(width, HEADS, 4 * width, 0.0, "gelu", batch_first=True)
                for _ in range(BLOCKS)
            ]
            self.blocks, self.dense = nn.Sequential(*blocks), nn.Linear(width, 10)

        def forward(self, x: Any) -> Any:
            return self.dense(self.blocks(x).mean(1))

    return Mean()
