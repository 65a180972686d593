"""What is written without a person, and what is learned and counted from people's work."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from connector.settings.section import Section
from mappings.case import Tolerance
from mappings.line_styles import LineStyle, LineStyles


class PolicySettings(Section):
    """What is sure enough to be written without a person."""

    fill_confidence: float = Field(
        default=0.90,
        ge=0.5,
        le=1,
        description="A bill is filled only when every value is at least this sure.",
    )
    fill_sure_header: bool = Field(
        default=False,
        description="On a doubtful bill, write the header values that are sure before asking a person.",
    )
    error_budget: float | None = Field(
        default=None,
        ge=0.001,
        le=0.2,
        description="Share of filled bills that may be wrong, such as 0.01; nothing is filled until posted bills prove "
        "it. Empty: `fill_confidence` alone decides.",
    )
    budget_confidence: float = Field(
        default=0.95, ge=0.5, le=0.999, description="How sure the error budget must be proven."
    )
    shadow_bills: int = Field(
        default=0, ge=0, description="New vendors are in shadow mode for so many posted bills; 0: not at all."
    )
    require_replay: bool = Field(
        default=True,
        description="Another version, model or prompt fills nothing before `vouch replay` held it against posted bills.",
    )
    price_tolerance_percent: Decimal = Field(
        default=Decimal(2),
        ge=0,
        le=100,
        description="A bill's price may be so many percent off the order's without a person being asked.",
    )
    quantity_tolerance_percent: Decimal = Field(
        default=Decimal(0),
        ge=0,
        le=100,
        description="A bill may ask for so many percent more than is received, or ordered, and not billed yet.",
    )

    line_style: LineStyle = Field(
        default=LineStyle.AUTO,
        description="`detailed`: every printed line; `per_tax`: one line per tax; `order`: lines only where they are an "
        "order's; `auto`: as the vendor's posted bills are booked.",
    )
    vendor_line_styles: dict[str, LineStyle] = Field(
        default_factory=dict, description="The same for single vendors, by tax id or name."
    )

    @property
    def line_styles(self) -> LineStyles:
        """How vendors' bills are booked."""
        return LineStyles(self.line_style, self.vendor_line_styles)

    @property
    def tolerance(self) -> Tolerance:
        """How far a bill may be from its order."""
        return Tolerance(self.price_tolerance_percent, self.quantity_tolerance_percent)


class LearningSettings(Section):
    """Learning from the bills that people post; see docs/learning.md."""

    enabled: bool = Field(
        default=True, description="Read posted bills back and learn from what people changed."
    )
    interval_minutes: int = Field(
        default=15, ge=1, description="Minutes between two looks; `vouch sync --once` looks each time."
    )


class InsightSettings(Section):
    """The insight page; see docs/review.md."""

    minutes_by_hand: float | None = Field(
        default=None,
        gt=0,
        le=120,
        description="Minutes that entering a bill by hand takes in your books; the hours saved are reckoned with it. "
        "Empty: they are not.",
    )
