"""Trains a small network to read handwritten digits, and logs every step.

    python examples/digits.py --name wide --width 512 --learning-rate 0.05

The network has two hidden layers and is trained by stochastic gradient descent with momentum, on scikit-learn's 1,797
images of 8 × 8 pixels, each shifted a little at random whenever it is shown. NumPy does all of the work.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

import steplog

Array = NDArray[np.float32]

IMAGE_SIDE = 8
CLASSES = 10


class Network:
    """A multi-layer perceptron: weights and their gradients as plain arrays."""

    def __init__(self, width: int, random: np.random.Generator) -> None:
        sizes = [IMAGE_SIDE**2, width, width, CLASSES]
        self.weights: list[Array] = [
            (random.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)).astype(np.float32)
            for inputs, outputs in pairwise(sizes)
        ]
        self.biases: list[Array] = [np.zeros(outputs, np.float32) for outputs in sizes[1:]]
        self.velocity: list[Array] = [np.zeros_like(each) for each in self.weights + self.biases]

    def forward(self, images: Array) -> list[Array]:
        """What every layer answers, the images first and the probabilities of the classes last."""
        layers = [images]
        for weights, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            layers.append(np.maximum(layers[-1] @ weights + bias, 0))
        logits = layers[-1] @ self.weights[-1] + self.biases[-1]
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return [*layers, exponentials / exponentials.sum(axis=1, keepdims=True)]

    def gradients(self, layers: list[Array], labels: NDArray[np.intp]) -> list[Array]:
        """The gradient of the mean cross-entropy by every weight, then by every bias."""
        error = layers[-1].copy()
        error[np.arange(len(labels)), labels] -= 1
        error /= len(labels)
        by_weight: list[Array] = []
        by_bias: list[Array] = []
        for index in reversed(range(len(self.weights))):
            by_weight.insert(0, layers[index].T @ error)
            by_bias.insert(0, error.sum(axis=0))
            if index > 0:
                error = (error @ self.weights[index].T) * (layers[index] > 0)
        return by_weight + by_bias

    def descend(self, gradients: list[Array], learning_rate: float, momentum: float, weight_decay: float) -> None:
        """One step downhill."""
        for parameter, velocity, gradient in zip(self.weights + self.biases, self.velocity, gradients, strict=True):
            velocity *= momentum
            velocity -= np.float32(learning_rate) * (gradient + np.float32(weight_decay) * parameter)
            parameter += velocity


def loss_and_accuracy(probabilities: Array, labels: NDArray[np.intp]) -> tuple[float, float]:
    """Mean cross-entropy, and the share of images that were read rightly."""
    right = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(right + 1e-9).mean()), float((probabilities.argmax(axis=1) == labels).mean())


def shifted(images: Array, random: np.random.Generator) -> Array:
    """The images, each moved by up to a pixel in both directions, with some noise."""
    moved = np.empty_like(images)
    for index, image in enumerate(images.reshape(-1, IMAGE_SIDE, IMAGE_SIDE)):
        moved[index] = np.roll(image, random.integers(-1, 2, size=2), axis=(0, 1)).ravel()
    return moved + random.normal(0, 0.15, moved.shape).astype(np.float32)


def dataset(images: Array, labels: NDArray[np.intp]) -> steplog.Artifact:
    """The images and what they show, as the first version of an artifact: the same files make no second one."""
    artifact = steplog.Artifact(
        "digits",
        "dataset",
        "Handwritten digits of 8 × 8 pixels, from 0 to 1.",
        {"images": len(images), "classes": CLASSES},
    )
    for name, array in (("images.npy", images), ("labels.npy", labels)):
        with artifact.new_file(name, "wb") as file:
            np.save(file, array)
    table = steplog.Table(["image", "digit"])
    for image, label in zip(images[:50], labels[:50], strict=True):
        pixels = (image.reshape(IMAGE_SIDE, IMAGE_SIDE) * 255).astype(np.uint8).repeat(4, axis=0).repeat(4, axis=1)
        table.add_data(steplog.Image(pixels), int(label))
    artifact.add(table, "first")
    return artifact


def model(network: Network, config: dict[str, object], accuracy: float) -> steplog.Artifact:
    """The trained weights, as the next version of an artifact."""
    artifact = steplog.Artifact("network", "model", metadata={"accuracy": accuracy, **config})
    with artifact.new_file("network.npz", "wb") as file:
        np.savez(file, *network.weights, *network.biases)
    return artifact


def report(epoch: int, epochs: int, loss: float, accuracy: float, best: float) -> None:
    """Draws how far training is over the line before; every tenth epoch stays."""
    done = (epoch + 1) * 24 // epochs
    colour = "\033[32m" if accuracy >= best else "\033[33m"
    line = f"epoch {epoch + 1:3}/{epochs} {'█' * done:░<24} loss {loss:.4f}  accuracy {colour}{accuracy:.1%}\033[0m"
    print(f"\r\033[K{line}", end="\n" if (epoch + 1) % 10 == 0 else "", flush=True)


def train(name: str, width: int, learning_rate: float, batch_size: int, epochs: int, seed: int) -> None:
    """Trains one network, as one run of the project `digits`."""
    digits = load_digits()
    images, labels = (digits.data / 16).astype(np.float32), digits.target.astype(np.intp)
    random = np.random.default_rng(seed)
    order = random.permutation(len(images))
    train_rows, validation_rows = order[360:], order[:360]
    steps = epochs * (len(train_rows) // batch_size)
    config = {
        "width": width,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "epochs": epochs,
        "momentum": 0.9,
        "weight_decay": 1e-4,
        "seed": seed,
    }
    with steplog.init(project="digits", name=name, config=config, group="learning-rate", tags=["demo"]) as run:
        run.use_artifact(dataset(images, labels))
        network = Network(width, random)
        best, told = 0.0, False
        step = 0
        for epoch in range(epochs):
            random.shuffle(train_rows)
            for batch in np.array_split(train_rows, len(train_rows) // batch_size):
                layers = network.forward(shifted(images[batch], random))
                gradients = network.gradients(layers, labels[batch])
                # Up within the first steps, then down along a cosine.
                rate = learning_rate * min(1, (step + 1) / 100) * (1 + np.cos(np.pi * step / steps)) / 2
                network.descend(gradients, rate, config["momentum"], config["weight_decay"])
                loss, accuracy = loss_and_accuracy(layers[-1], labels[batch])
                norm = np.sqrt(sum(float((each**2).sum()) for each in gradients))
                row = {
                    "train/loss": loss,
                    "train/accuracy": accuracy,
                    "optimizer/learning_rate": rate,
                    "optimizer/gradient_norm": norm,
                }
                if step % (steps // epochs) == 0:
                    probabilities = network.forward(images[validation_rows])[-1]
                    loss, accuracy = loss_and_accuracy(probabilities, labels[validation_rows])
                    best = max(best, accuracy)
                    row |= {"val/loss": loss, "val/accuracy": accuracy, "epoch": epoch}
                    row |= {f"weights/layer {index}": each for index, each in enumerate(network.weights)}
                    report(epoch, epochs, loss, accuracy, best)
                    if accuracy >= 0.98 and not told:
                        told = True
                        run.alert("reads 98 % of the digits", f"{name}: {accuracy:.1%} in epoch {epoch}")
                run.log(row)
                step += 1
        run.summary["best_accuracy"] = best
        run.log_artifact(model(network, config, accuracy), aliases=["readable"] if accuracy >= 0.97 else None)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="Train a small network to read digits, and log every step.")
    parser.add_argument("--name", help="name of the run")
    parser.add_argument("--width", type=int, default=512, help="neurons in each hidden layer")
    parser.add_argument("--learning-rate", type=float, default=0.05)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = vars(parser.parse_args())
    try:
        train(arguments.pop("name") or f"lr-{arguments['learning_rate']}", **arguments)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
