"""The inspector's network: a small convolutional one that is told from where it looks."""

from __future__ import annotations

import torch
from torch import nn

from takt.stations.inspection.net.looks import ANSWERS, VIEW

CHANNELS = (16, 32, 64, 96, 128)


class Inspector(nn.Module):  # type: ignore[misc]  # without the extra `train` it is Any
    """Pictures (n, CROP, CROP, 3) uint8 and views (n, VIEW) to log-probabilities (n, ANSWERS)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((3, *CHANNELS), CHANNELS, strict=False):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GroupNorm(8, after), nn.ReLU()]
        self.eye = nn.Sequential(*layers)  # (n, 128, 4, 4)
        self.head = nn.Sequential(
            nn.Linear(CHANNELS[-1] * 16 + VIEW, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, ANSWERS)
        )

    def forward(self, picture: torch.Tensor, view: torch.Tensor) -> torch.Tensor:
        seen = self.eye(picture.permute(0, 3, 1, 2).float() / 127.5 - 1)
        answered: torch.Tensor = self.head(torch.cat([seen.flatten(1), view], dim=1)).log_softmax(1)
        return answered
