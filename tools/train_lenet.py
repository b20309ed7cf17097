"""Train the classifier of `lenet-mnist@1` or `lenet-fashion@1` and write its weights.

python tools/train_lenet.py [mnist|fashion-mnist] --data DIR -o lenet.safetensors

New weights are a new extractor. Register them as `lenet-mnist@2`.
"""

import argparse
import hashlib
from pathlib import Path

import safetensors.torch
import torch
from torch import nn
from torchvision.transforms import v2

from ganzoo.builtin.extractors.lenet import LeNet
from ganzoo.data import decode, find_dataset

DATASETS = ("mnist", "fashion-mnist")
EPOCHS, BATCH = 16, 128


def images_of(dataset, split, data):
    torch_dataset, spec = find_dataset(dataset, {"split": split}, data)
    items = decode(torch_dataset, spec)
    return items.images, items.labels, spec.labels


@torch.no_grad()
def accuracy(network, images, labels):
    network.eval()
    classes = torch.cat([network(part).logits.argmax(1) for part in images.split(1000)])
    return (classes == labels).double().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", nargs="?", default="mnist", choices=DATASETS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    torch.manual_seed(0)
    images, labels, classes = images_of(options.dataset, "train", options.data)
    network = LeNet(classes, "")
    augment = v2.RandomAffine(degrees=8, translate=(0.07, 0.07), scale=(0.92, 1.08))
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.01)
    steps = EPOCHS * (len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    criterion = nn.CrossEntropyLoss()
    for epoch in range(EPOCHS):
        network.train()
        order = torch.randperm(len(images))
        for k in range(len(images) // BATCH):
            index = order[k * BATCH :][:BATCH]
            loss = criterion(network(augment(images[index])).logits, labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1} of {EPOCHS}: loss of the last batch {loss.item():.4f}")
    test_accuracy = accuracy(network, *images_of(options.dataset, "test", options.data)[:2])
    content = safetensors.torch.save(network.state_dict())
    options.output.write_bytes(content)
    print(f"test accuracy {test_accuracy:.2%}, seed 0, final weights")
    print(f"{options.output}: {len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")


if __name__ == "__main__":
    main()
