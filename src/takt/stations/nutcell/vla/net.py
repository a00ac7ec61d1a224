"""The network of the learned worker, in PyTorch: pictures, touch, joints and words to the next 0.4 s of one hand.

    wrist  -> convolutions -> spatial softmax (where things are) + a small grid (what is there)
    head   -> the same, smaller
    text   -> characters -> transformer -> one query for each side -> 32 numbers
    body   -> as it is (features.py)
    all of it -> a perceptron -> knots as set-points from where the plan begins, grip; and what is only to train on

A shift of 100 mm and one of 1 mm have to be right in proportion, so shifts are told on a logarithmic scale beyond a
millimetre or so: asinh(shift / UNIT).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from takt.stations.nutcell.vla.features import BODY, LETTERS, TEXT
from takt.stations.nutcell.vla.teacher import KNOTS, PHASES

UNIT = (0.001, 0.001, 0.001, 0.03)  # m, rad: below this a shift is told linearly
WORDS, WIDTH = 32, 64


class Eye(nn.Module):
    """A picture (B, H, W, 3), 0 to 255, to features: where each of `points` things is, and a coarse grid."""

    def __init__(self, height: int, width: int, channels: int, points: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(3, channels, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(channels, 2 * channels, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(2 * channels, 2 * channels, 3, padding=1),
            nn.ReLU(),
        )
        self.points = nn.Conv2d(2 * channels, points, 1)
        self.grid = nn.Sequential(nn.Conv2d(2 * channels, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten())
        rows, columns = height // 4, width // 4
        y, x = torch.meshgrid(torch.linspace(-1, 1, rows), torch.linspace(-1, 1, columns), indexing="ij")
        self.places: Tensor
        self.register_buffer("places", torch.stack([x.flatten(), y.flatten()], dim=1))
        self.sharpness = nn.Parameter(torch.tensor(1.0))
        self.coarse = nn.Linear(16 * ((rows + 1) // 2) * ((columns + 1) // 2), 64)
        self.width = 2 * points + 64

    def forward(self, picture: Tensor) -> Tensor:
        seen = self.convolutions((picture.permute(0, 3, 1, 2).float() - 110.0) / 60.0)
        heat = self.points(seen).flatten(2) * self.sharpness
        where = torch.softmax(heat, dim=2) @ self.places
        return torch.cat([where.flatten(1), torch.relu(self.coarse(self.grid(seen)))], dim=1)


class Reader(nn.Module):
    """Texts (N, TEXT) int64 to (N, 2, WORDS): what the order says to each side."""

    def __init__(self) -> None:
        super().__init__()
        self.letters = nn.Embedding(LETTERS, WIDTH, padding_idx=0)
        self.near = nn.Sequential(
            nn.Conv1d(WIDTH, WIDTH, 5, padding=2), nn.ReLU(), nn.Conv1d(WIDTH, WIDTH, 5, stride=2, padding=2), nn.ReLU()
        )
        self.position = nn.Parameter(0.1 * torch.randn(TEXT // 2, WIDTH))
        self.layers = nn.ModuleList([Layer(WIDTH) for _ in range(2)])
        self.sides = nn.Parameter(0.5 * torch.randn(2, WIDTH))
        self.ask = Layer(WIDTH)
        self.out = nn.Linear(WIDTH, WORDS)

    def forward(self, text: Tensor) -> Tensor:
        there = (text > 0)[:, ::2]
        words = self.near(self.letters(text).transpose(1, 2)).transpose(1, 2) + self.position
        for layer in self.layers:
            words = layer(words, words, there)
        asked = self.ask(self.sides.expand(text.shape[0], -1, -1), words, there)
        return self.out(asked)


class Layer(nn.Module):
    """Attention and a perceptron, each with a residual; written out, so that it exports as plain operations."""

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.mix = (nn.Linear(width, width) for _ in range(4))
        self.before, self.between, self.about = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.think = nn.Sequential(nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))

    def forward(self, asking: Tensor, words: Tensor, there: Tensor) -> Tensor:
        n, asks, width = asking.shape
        ask, told = self.before(asking), self.about(words)
        query = self.query(ask).view(n, asks, self.heads, -1).transpose(1, 2)
        key = self.key(told).view(n, words.shape[1], self.heads, -1).transpose(1, 2)
        value = self.value(told).view(n, words.shape[1], self.heads, -1).transpose(1, 2)
        weight = query @ key.transpose(2, 3) * (width // self.heads) ** -0.5
        weight = weight.masked_fill(~there[:, None, None, :], -1e4).softmax(dim=3)
        asking = asking + self.mix((weight @ value).transpose(1, 2).reshape(n, asks, width))
        return asking + self.think(self.between(asking))


class Policy(nn.Module):
    """One hand's next 0.4 s; `side` is 0 for the left hand."""

    def __init__(self) -> None:
        super().__init__()
        self.wrist, self.head = Eye(48, 64, 16, 24), Eye(48, 48, 8, 12)
        self.reader = Reader()
        self.body_mean: Tensor
        self.body_scale: Tensor
        self.register_buffer("body_mean", torch.zeros(BODY))
        self.register_buffer("body_scale", torch.ones(BODY))
        self.feel = nn.Sequential(nn.Linear(BODY, 256), nn.ReLU())
        self.trunk = nn.Sequential(
            nn.Linear(self.wrist.width + self.head.width + WORDS + 256, 384), nn.ReLU(), nn.Linear(384, 256), nn.ReLU()
        )
        self.knots, self.grip = nn.Linear(256, KNOTS * 4), nn.Linear(256, 1)
        self.phase, self.target, self.pin = nn.Linear(256, len(PHASES)), nn.Linear(256, 3), nn.Linear(256, 2)
        self.ordered = nn.Linear(WORDS, 2)

    def forward(self, wrist: Tensor, head: Tensor, body: Tensor, words: Tensor) -> dict[str, Tensor]:
        """words (B, WORDS): the reader's answer for this side."""
        felt = self.feel((body - self.body_mean) / self.body_scale)
        all_of_it = self.trunk(torch.cat([self.wrist(wrist), self.head(head), words, felt], dim=1))
        return {
            "knots": self.knots(all_of_it).view(-1, KNOTS, 4),
            "grip": self.grip(all_of_it)[:, 0],
            "phase": self.phase(all_of_it),
            "target": self.target(all_of_it),
            "pin": self.pin(all_of_it),
            "ordered": self.ordered(words),
        }


class Deployed(nn.Module):
    """Both hands and the order, as the worker calls it; what is only to train on is left out, but what it read."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self.policy = policy
        self.unit: Tensor
        self.register_buffer("unit", torch.tensor(UNIT))

    def forward(self, wrist: Tensor, head: Tensor, body: Tensor, text: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """text (1, TEXT) -> shifts (2, KNOTS, 4) from the plan's beginning, grip (2,) 0 to 1, ordered (2, 2)."""
        words = self.policy.reader(text)[0]
        found = self.policy(wrist, head, body, words)
        scaled = found["knots"].clamp(-6.0, 6.0)
        shifts = 0.5 * (scaled.exp() - (-scaled).exp()) * self.unit  # sinh, in what ONNX has
        return shifts, torch.sigmoid(found["grip"]), torch.softmax(found["ordered"], dim=1)
