"""Train the network of `kernels.shape_net` and write its weights into the project.

    python -m bench.power_injection.train_net design tune --steps 5000

It needs PyTorch (`pip install torch`), which nothing else here does. Buildings of the named splits are drawn at random
days, sometimes turned round, moved by some hours or laid over each other; half of the windows get machines from
`inject_widely`. The loss asks for good odds and, besides, that machines rank above the hardest innocent windows,
because a list is cut far out in their tail. The weights written are a moving average of those of the last steps.
"""

from __future__ import annotations

import argparse
import base64
import time
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from bench.power_injection.inject_widely import inject_widely
from bench.power_injection.meters import MOST_MISSING, buildings, split_of

TARGET = Path(__file__).resolve().parents[2] / "src" / "headframe" / "detectors" / "power" / "shape_net_model.py"
DAYS, HOURS = 56, 24
N = DAYS * HOURS
CHANNELS = (16, 24, 32, 32)
HIDDEN = 32
RESOLUTION_W = 100.0
"""Of the Cambridge meters: 0.1 kWh in each hour."""
BATCH = 96
HARDEST = 8
"""Innocent windows of each batch that machines must rank above."""
KEEP = 0.995
"""Of the moving average of weights, each step."""


class Net(nn.Module):
    """The layers that `kernels.shape_net.judge` evaluates; batch normalisation is folded into them when written."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = CHANNELS
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(4, a, (3, 5)), nn.Conv2d(a, b, 3), nn.Conv2d(b, c, 3), nn.Conv2d(c, d, 3)]
        )
        self.norms = nn.ModuleList([nn.BatchNorm2d(k) for k in CHANNELS])
        self.hidden, self.out = nn.Linear(2 * d, HIDDEN), nn.Linear(HIDDEN, 1)
        self.drop = nn.Dropout(0.3)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        for k, pool in enumerate([(2, 1), (2, 2), (2, 2), None]):
            wide = 2 if k == 0 else 1
            image = functional.pad(image, (wide, wide, 0, 0), mode="circular")
            image = functional.pad(image, (0, 0, 1, 1), mode="replicate")
            image = functional.relu(self.norms[k](self.convolutions[k](image)))
            if pool:
                image = functional.max_pool2d(image, pool)
        pooled = torch.cat([image.mean((2, 3)), image.amax((2, 3))], 1)
        return self.out(functional.relu(self.hidden(self.drop(pooled)))).squeeze(1)


def drawn(power_w: np.ndarray) -> torch.Tensor:
    """Images as `kernels.shape_net.draw` makes them: float32[n, 4, days, 24]."""
    x = torch.as_tensor(power_w, dtype=torch.float32)
    x = x / x.mean(1, keepdim=True)
    rise = torch.zeros_like(x)
    rise[:, 1:] = x[:, 1:] - x[:, :-1]
    image = x.view(len(x), -1, HOURS)
    above = image - image.median(1, keepdim=True).values
    return torch.stack(
        [image - 1, torch.log(image.clamp(min=1e-3)), 2 * above, torch.asinh(20 * rise).view_as(image)], 1
    )


def filled(power_w: np.ndarray) -> np.ndarray:
    x = power_w.astype(np.float32)
    bad, at = np.isnan(x), np.arange(x.size)
    x[bad] = np.interp(at[bad], at[~bad], x[~bad])
    return x


class Source:
    """Whole series of buildings, and the hours at which a window may begin."""

    def __init__(self, splits: list[str]) -> None:
        self.series = []
        for name, (_, power_w) in sorted(buildings("cambridge").items()):
            if split_of(name) in splits:
                missing = np.concatenate([[0], np.cumsum(np.isnan(power_w))])
                begins = np.flatnonzero(missing[N:] - missing[:-N] <= MOST_MISSING * N)
                begins = begins[begins % 24 == 0]
                if begins.size:
                    self.series.append((filled(power_w), begins))

    def window(self, rng: np.random.Generator) -> np.ndarray:
        power_w, begins = self.series[rng.integers(len(self.series))]
        at = int(rng.choice(begins))
        return power_w[at : at + N]

    def batch(self, rng: np.random.Generator) -> np.ndarray:
        """The first half with machines."""
        rows = []
        for k in range(BATCH):
            x = self.window(rng)
            if rng.random() < 0.25:
                other = self.window(rng)
                x = x + rng.uniform(0.1, 1) * other * x.mean() / max(other.mean(), 1)
            if rng.random() < 0.2:
                x = x[::-1]
            if rng.random() < 0.5:
                x = np.roll(x, int(rng.integers(24)))
            rows.append(x + inject_widely(x, rng) if k < BATCH // 2 else x)
        # Meters count in steps: without this a sum would be told from a reading by its digits.
        return np.round(np.stack(rows) / RESOLUTION_W) * RESOLUTION_W


def train(splits: list[str], steps: int, seed: int) -> Net:
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    source = Source(splits)
    net, mean = Net(), Net()
    mean.load_state_dict(net.state_dict())
    optimiser = torch.optim.AdamW(net.parameters(), 4e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    truth = (torch.arange(BATCH) < BATCH // 2).float()
    started = time.monotonic()
    for step in range(steps):
        found = net(drawn(source.batch(rng)))
        loss = functional.binary_cross_entropy_with_logits(found, truth)
        hardest = found[BATCH // 2 :].topk(HARDEST).values
        loss = loss + 0.5 * functional.softplus(hardest[None] - found[: BATCH // 2, None]).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            keep = min(KEEP, (step + 1) / (step + 10))
            for ours, theirs in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
                if ours.dtype.is_floating_point:
                    ours.mul_(keep).add_(theirs, alpha=1 - keep)
        if (step + 1) % 200 == 0:
            print(f"{step + 1:,} steps, loss {loss.item():.3f}, {time.monotonic() - started:.0f} s", flush=True)
    return mean.eval()


def arrays(net: Net) -> dict[str, np.ndarray]:
    """Weights by the names that `kernels.shape_net.judge` knows, normalisation folded in."""
    found = {}
    for k, (layer, norm) in enumerate(zip(net.convolutions, net.norms, strict=True), 1):
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        found[f"w{k}"] = (layer.weight * scale[:, None, None, None]).permute(2, 3, 1, 0)
        found[f"b{k}"] = (layer.bias - norm.running_mean) * scale + norm.bias
    found |= {"wh": net.hidden.weight.T, "bh": net.hidden.bias, "wo": net.out.weight[0], "bo": net.out.bias}
    return {name: value.detach().numpy().astype(np.float32) for name, value in found.items()}


def write(net: Net, target: Path, made_by: str) -> None:
    """As half-precision numbers, packed into text: nothing needs to be opened to load them."""
    shapes = {name: value.shape for name, value in arrays(net).items()}
    raw = b"".join(value.astype("<f2").tobytes() for value in arrays(net).values())
    text = base64.b85encode(zlib.compress(raw, 9)).decode()
    lines = [text[at : at + 118] for at in range(0, len(text), 118)]
    listed = "".join(f'    "{name}": {shape},\n' for name, shape in shapes.items())
    target.write_text(
        f'"""Weights of `kernels.shape_net`, made by {made_by}."""\n\n'
        f'SHAPES = {{\n{listed}}}\nWEIGHTS = """\n' + "\n".join(lines) + '\n"""\n'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("splits", nargs="+", choices=["design", "tune"])
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", type=Path, default=TARGET)
    options = parser.parse_args()
    torch.set_num_threads(1)
    net = train(options.splits, options.steps, options.seed)
    made_by = f"bench/power_injection/train_net.py {' '.join(options.splits)} --steps {options.steps}"
    write(net, options.target, made_by)


if __name__ == "__main__":
    main()
