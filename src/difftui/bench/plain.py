"""The plain training loop: the lab's recipe as a tutorial writes it, to hold ours against.

A data set of PIL images with ``ToTensor`` and ``Normalize``, a ``DataLoader`` with its defaults, the network
with upsampling and concatenation written out, float32, ``Adam``, and ``loss.item()`` after every step.
Nothing in it is slower than people make it; nothing is tuned either.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from difftui.data import Digits

__all__ = ["PlainDigits", "PlainUNet", "plain_training"]

T = 1000


class PlainDigits(Dataset[tuple[Tensor, int]]):
    """Digits one by one, as ``torchvision.datasets.MNIST`` gives them."""

    def __init__(self, digits: Digits) -> None:
        self.images, self.labels = digits.images, digits.labels
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])

    def __len__(self) -> int:
        """How many there are."""
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """Image (1, 28, 28) in [-1, 1] and its class."""
        image: Tensor = self.transform(Image.fromarray(self.images[index]))
        return image, int(self.labels[index])


class PlainUNet(nn.Module):
    """The lab U-Net, written out: upsample, concatenate, convolve. The parameters are those of ``LabUNet``.

    Shapes: x (B, 1, 28, 28) in [-1, 1]; t (B,) integers in [0, 1000); returns (B, 1, 28, 28).
    """

    def __init__(self) -> None:
        super().__init__()
        self.time_1 = nn.Linear(1, 32)
        self.time_2 = nn.Linear(32, 28 * 28)
        self.down_1 = nn.Conv2d(2, 32, 3, padding=1)
        self.down_2 = nn.Conv2d(32, 64, 3, padding=1)
        self.middle = nn.Conv2d(64, 128, 3, padding=1)
        self.up_1 = nn.Conv2d(192, 64, 3, padding=1)
        self.up_2 = nn.Conv2d(96, 32, 3, padding=1)
        self.out = nn.Conv2d(32, 1, 1)
        self.pool = nn.MaxPool2d(2)
        self.upsample = nn.Upsample(scale_factor=2)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        time = F.relu(self.time_1(t.float().unsqueeze(1) / T))
        time = F.relu(self.time_2(time)).view(-1, 1, 28, 28)
        x1 = F.relu(self.down_1(torch.cat([x, time], dim=1)))
        x2 = F.relu(self.down_2(self.pool(x1)))
        x3 = F.relu(self.middle(self.pool(x2)))
        x = F.relu(self.up_1(torch.cat([self.upsample(x3), x2], dim=1)))
        x = F.relu(self.up_2(torch.cat([self.upsample(x), x1], dim=1)))
        out: Tensor = self.out(x)
        return out


def plain_training(digits: Digits, device: str = "cpu", batch_size: int = 64) -> Iterator[float]:
    """Train without end, a step and its loss at a time."""
    loader = DataLoader(PlainDigits(digits), batch_size=batch_size, shuffle=True)
    model = PlainUNet().to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-4)
    betas = torch.linspace(1e-4, 0.02, T, device=device)
    alpha_bars = torch.cumprod(1 - betas, dim=0)
    while True:
        for images, _ in loader:
            x0 = images.to(device)
            t = torch.randint(0, T, (len(x0),), device=device)
            noise = torch.randn_like(x0)
            alpha_bar = alpha_bars[t].view(-1, 1, 1, 1)
            x_t = alpha_bar.sqrt() * x0 + (1 - alpha_bar).sqrt() * noise
            loss = F.mse_loss(model(x_t, t), noise)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            yield loss.item()
