"""A picture that waits to be sent, and the receipt for one that the model has seen."""

from dataclasses import dataclass, replace
from pathlib import Path

from engine import BUDGETS, Attachment, ImagePlan, Picture, PictureReceipt, plan_image

__all__ = ["BUDGET_NAMES", "DraftPicture", "receipt_line", "size_line"]

BUDGET_NAMES = dict(zip(BUDGETS, ("Coarse", "Low", "Standard", "Fine", "Finest"), strict=True))


@dataclass(frozen=True)
class DraftPicture:
    """An attached picture and the budget chosen for it. `key` tells two chips of the same window apart."""

    key: int
    attachment: Attachment
    budget: int

    @property
    def path(self) -> Path:
        """The file."""
        return self.attachment.path

    @property
    def name(self) -> str:
        """The file's name, as it is shown."""
        return self.attachment.path.name

    def plan(self, budget: int) -> ImagePlan:
        """The size this picture gets at a budget; raises AttachmentError for impossible proportions."""
        return plan_image(self.attachment.width, self.attachment.height, budget)

    @property
    def cost(self) -> str:
        """What the chosen budget buys: "264 tokens · 1056 × 576"."""
        return self.cost_at(self.budget)

    def cost_at(self, budget: int) -> str:
        """What another budget would buy."""
        plan = self.plan(budget)
        return f"{plan.num_soft_tokens:,} tokens · {plan.width} × {plan.height}"

    @property
    def original_size(self) -> str:
        """The size of the file's picture before any resizing."""
        return f"{self.attachment.width} × {self.attachment.height} pixels"

    def with_budget(self, budget: int) -> "DraftPicture":
        """The same picture at another budget."""
        return replace(self, budget=budget)


def size_line(picture: Picture) -> str:
    """What is known about a sent picture before its receipt arrives."""
    return f"Budget {picture.budget:,}"


def receipt_line(receipt: PictureReceipt) -> str:
    """What the model really saw: "1056 × 576 · 264 tokens · 84 ms"."""
    took = "seen before" if receipt.encode_ms == 0 else _duration(receipt.encode_ms)
    return f"{receipt.width} × {receipt.height} · {receipt.num_soft_tokens:,} tokens · {took}"


def _duration(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
