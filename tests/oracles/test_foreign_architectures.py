"""Architectures as they are written in PyTorch, with weights loaded into the same ones here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.saving import load_torch_state_dict
from tests.oracles.test_foreign_weights import WORDS, randomized

torch = pytest.importorskip("torch")
nn = torch.nn

RNG = np.random.default_rng(0)


def require_equal(model: Any, module: Any, x: Any, channels_first: bool = False) -> None:
    given = torch.tensor(np.moveaxis(x, -1, 1).copy() if channels_first else x)
    with torch.no_grad():
        expected = module(given).numpy()
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-4, atol=1e-5)


class Residual(nn.Module):
    """A block of ResNet as in torchvision, with a head that is a convolution of size 1, and PReLU."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.act = nn.PReLU(4)
        self.conv2 = nn.Conv2d(4, 4, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(4)
        self.downsample = nn.Sequential(nn.Conv2d(3, 4, 1, 2, bias=False), nn.BatchNorm2d(4))
        self.fc = nn.Conv2d(4, 2, 1)

    def forward(self, x: Any) -> Any:
        y = self.bn2(self.conv2(self.act(self.bn1(self.conv1(x)))))
        return self.fc((y + self.downsample(x)).relu().mean((2, 3), keepdim=True))[:, :, 0, 0]


def residual() -> Any:
    def normalized(x: Any, name: str, filters: int, size: int, strides: int) -> Any:
        if size > 1:
            x = layers.ZeroPadding2D(1)(x)
        x = layers.Conv2D(filters, size, strides, use_bias=False, name=name)(x)
        return layers.BatchNormalization(epsilon=1e-5, name=f"{name}_bn")(x)

    x = layers.Input((6, 6, 3))
    y = layers.PReLU(shared_axes=[1, 2], name="act")(normalized(x, "one", 4, 3, 2))
    y = normalized(y, "two", 4, 3, 1) + normalized(x, "short", 4, 1, 2)
    return portanet.Model(x, layers.Dense(2, name="fc")(layers.GlobalAveragePooling2D()(layers.ReLU()(y))))


RESIDUAL = {
    "one": "conv1", "one_bn": "bn1", "act": "act", "two": "conv2", "two_bn": "bn2", "short": "downsample.0",
    "short_bn": "downsample.1", "fc": "fc",
}  # fmt: skip


def test_a_residual_block(backend: Any) -> None:
    module, model = randomized(Residual()), residual()
    result = load_torch_state_dict(model, module.state_dict(), RESIDUAL)
    assert (result.missing, result.unexpected, len(result.matching)) == ([], [], 18)
    require_equal(model, module, RNG.normal(size=(2, 6, 6, 3)).astype("float32"), channels_first=True)


def test_running_variances_become_those_of_training_here() -> None:
    """After a step on the same batch, statistics agree if those of PyTorch are converted."""
    x = RNG.normal(size=(5, 3)).astype("float32")
    module, model = nn.BatchNorm1d(3, momentum=1.0), portanet.Sequential([layers.Input((3,))])
    module(torch.tensor(x))
    model.add(layers.BatchNormalization())
    load_torch_state_dict(model, module.state_dict(), batch_elements=5)
    np.testing.assert_allclose(model.layers[0].moving_variance.numpy(), x.var(0), rtol=1e-5)
    load_torch_state_dict(model, module.state_dict())
    np.testing.assert_allclose(model.layers[0].moving_variance.numpy(), x.var(0, ddof=1), rtol=1e-5)


class Encoder(nn.Module):
    """Two layers of BERT with its names, the norms in the form of its first checkpoints."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = nn.ModuleDict({"words": nn.Embedding(11, 8), "positions": nn.Embedding(6, 8)})
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList([self.block(), self.block()])})

    @staticmethod
    def block() -> Any:
        parts = {name: nn.Linear(8, 8) for name in ("query", "key", "value")}
        attention = nn.ModuleDict({"self": nn.ModuleDict(parts), "output": nn.Linear(8, 8)})
        norms = {"norm1": nn.LayerNorm(8), "norm2": nn.LayerNorm(8)}
        return nn.ModuleDict({"attention": attention, "up": nn.Linear(8, 12), "down": nn.Linear(12, 8), **norms})

    def forward(self, words: Any) -> Any:
        x = self.embeddings["words"](words) + self.embeddings["positions"].weight[: words.shape[1]]
        for block in self.encoder["layer"]:
            own = block["attention"]["self"]
            q, k, v = (own[n](x).unflatten(-1, (2, 4)).transpose(1, 2) for n in ("query", "key", "value"))
            y = nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2)
            x = block["norm1"](x + block["attention"]["output"](y))
            x = block["norm2"](x + block["down"](nn.functional.gelu(block["up"](x))))
        return x


def encoder() -> Any:
    words = layers.Input((4,), dtype="int32")
    x = layers.Embedding(11, 8, name="words")(words)
    x = x + layers.PositionEmbedding(6, name="positions")(x)
    for i in range(2):
        inner = layers.Input((4, 8))
        y = layers.MultiHeadAttention(2, 4, name="attention")([inner, inner])
        y = middle = layers.LayerNormalization(epsilon=1e-5, name="norm1")(inner + y)
        y = layers.Dense(8, name="down")(layers.Dense(12, "gelu", name="up")(y))
        y = layers.LayerNormalization(epsilon=1e-5, name="norm2")(middle + y)
        x = portanet.Model(inner, y, name=f"block{i}")(x)
    return portanet.Model(words, x)


def test_an_encoder() -> None:
    module, model = randomized(Encoder()), encoder()
    names = {"weight": "gamma", "bias": "beta"}
    state = {
        f"{n.rpartition('.')[0]}.{names[n.rpartition('.')[2]]}" if "norm" in n else n: x
        for n, x in module.state_dict().items()
    }
    own = "encoder.layer.{i}"
    result = load_torch_state_dict(
        model,
        {**state, "pooler.weight": torch.zeros(2, 2)},
        {
            "words": "embeddings.words",
            "positions": "embeddings.positions",
            "block{i}/attention": [f"{own}.attention.self.{n}" for n in ("query", "key", "value")]
            + [f"{own}.attention.output"],
            **{f"block{{i}}/{n}": f"{own}.{n}" for n in ("up", "down", "norm1", "norm2")},
        },
    )
    assert (result.missing, result.unexpected) == ([], ["pooler.weight"])
    require_equal(model, module, WORDS)
    assert model.get_layer("block1/down") is model.get_layer("block1").get_layer("down")
    with pytest.raises(ValueError, match=r"has the layers .*norm2; .*name='block1/dawn'"):
        model.get_layer("block1/dawn")


class Decoder(nn.Module):
    """A block of GPT-2: causal attention with joined projections, matrices with the inputs first, and a parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.wpe = nn.Parameter(torch.zeros(1, 4, 8))
        self.ln = nn.LayerNorm(8)
        for name, sizes in (("c_attn", (8, 24)), ("c_proj", (8, 8)), ("c_fc", (8, 8))):
            weight, bias = nn.Parameter(torch.zeros(sizes)), nn.Parameter(torch.zeros(sizes[1]))
            setattr(self, name, nn.ParameterDict({"weight": weight, "bias": bias}))

    def forward(self, x: Any) -> Any:
        x = x + self.wpe
        y = self.ln(x) @ self.c_attn["weight"] + self.c_attn["bias"]
        q, k, v = (part.unflatten(-1, (2, 4)).transpose(1, 2) for part in y.split(8, -1))
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(-2)
        x = x + y @ self.c_proj["weight"] + self.c_proj["bias"]
        return x + x @ self.c_fc["weight"] + self.c_fc["bias"]


def test_a_decoder() -> None:
    module = randomized(Decoder())
    start = layers.Input((4, 8))
    x = start + layers.PositionEmbedding(4, name="wpe")(start)
    y = layers.LayerNormalization(epsilon=1e-5, name="ln")(x)
    x = x + layers.MultiHeadAttention(2, 4, name="attention")([y, y], use_causal_mask=True)
    model = portanet.Model(start, x + layers.Dense(8, name="mlp")(x))
    mapping = {"wpe": "wpe", "ln": "ln", "attention": ["c_attn", "c_proj"], "mlp": "c_fc"}
    result = load_torch_state_dict(model, module.state_dict(), mapping, input_first="^c_")
    assert (result.missing, result.unexpected) == ([], [])
    require_equal(model, module, RNG.normal(size=(2, 4, 8)).astype("float32"))


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_a_tagger_of_cells(kind: str) -> None:
    cell = {"LSTM": layers.LSTMCell, "GRU": layers.GRUCell, "RNN": layers.SimpleRNNCell}[kind]
    module = randomized(getattr(nn, kind)(6, 5, num_layers=2, batch_first=True))
    head = randomized(nn.Linear(5, 3))
    model = portanet.Sequential([layers.Input((4, 6)), layers.RNN([cell(5), cell(5)], True), layers.Dense(3)])
    state = {f"rnn.{n}": x for n, x in module.state_dict().items()} | {
        f"head.{n}": x for n, x in head.named_parameters()
    }
    result = load_torch_state_dict(model, state, {"rnn": ["rnn.l0", "rnn.l1"], "dense": "head"})
    assert (result.missing, result.unexpected) == ([], [])
    require_equal(model, lambda x: head(module(x)[0]), RNG.normal(size=(2, 4, 6)).astype("float32"))
    single = portanet.Sequential([layers.Input((4, 6)), layers.RNN(cell(5))])
    load_torch_state_dict(single, getattr(nn, f"{kind}Cell")(6, 5).state_dict(), {"rnn": ""})


def test_what_is_left_and_missing_is_listed() -> None:
    module, model = randomized(Residual()), residual()
    result = load_torch_state_dict(model, module.state_dict(), {"fc": "fc"})
    assert result.matching == ["fc/kernel", "fc/bias"]
    assert "one/kernel" in result.missing
    assert "fc.weight" not in result.unexpected
    assert "bn1.running_mean" in result.unexpected
    with pytest.raises(ValueError, match=r"layer 'block\{i\}': not among layers"):
        load_torch_state_dict(model, module.state_dict(), {"block{i}": "fc"})
