"""What a Sequential model does: add, pop, summaries, feature extraction, delayed building."""

import keras
import numpy as np
from keras import layers, ops

from tests.keras.common import start

rng = np.random.default_rng(3)
x = ops.convert_to_tensor(rng.random((3, 3)).astype("float32"))

model = keras.Sequential(name="my_sequential")
model.add(layers.Dense(2, activation="relu", name="layer1"))
model.add(layers.Dense(3, activation="relu", name="layer2"))
model.add(layers.Dense(4, name="layer3"))
y = model(x)
weights = len(model.weights)
start(model)
before_pop = model(x)
model.pop()
after_pop = model(x)
lines = []
model.summary(print_fn=lambda line, **options: lines.append(line))

initial_model = keras.Sequential(
    [
        keras.Input(shape=(20, 20, 3)),
        layers.Conv2D(6, 5, strides=2, activation="relu"),
        layers.Conv2D(4, 3, activation="relu", name="my_intermediate_layer"),
        layers.Conv2D(4, 3, activation="relu"),
        layers.GlobalMaxPooling2D(),
    ]
)
start(initial_model)
feature_extractor = keras.Model(
    inputs=initial_model.inputs, outputs=initial_model.get_layer(name="my_intermediate_layer").output
)
image = ops.convert_to_tensor(rng.random((1, 20, 20, 3)).astype("float32"))
for layer in initial_model.layers[:-1]:
    layer.trainable = False

results = {
    "weights": weights,
    "shape": tuple(y.shape),
    "layers": len(model.layers),
    "before": before_pop,
    "after": after_pop,
    "summary": any("layer2" in line for line in lines),
    "features": feature_extractor(image),
    "trainable": len(initial_model.trainable_weights),
    "output shape": initial_model.output_shape,
}
