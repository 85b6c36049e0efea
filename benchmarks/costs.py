"""The cost model: what a message costs on AWS, from requests, units and seconds.

Left out, since it is the same for both ways: connection minutes ($0.25 a million), transfer out, storage, logs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PRICES_SOURCE = "AWS's price pages for us-east-1 (API Gateway, Lambda arm64, DynamoDB on demand), as of July 2025"
WEBSOCKET_MESSAGE_USD = 1.00 / 1e6
"""Up to a billion a month, each up to 32 KB; a post to a connection counts as one."""
LAMBDA_REQUEST_USD = 0.20 / 1e6
LAMBDA_GB_SECOND_USD = 0.0000133334
READ_UNIT_USD = 0.125 / 1e6
WRITE_UNIT_USD = 0.625 / 1e6

FREE_WEBSOCKET_MESSAGES = 1_000_000
FREE_LAMBDA_REQUESTS = 1_000_000
FREE_LAMBDA_GB_SECONDS = 400_000
FREE_UNITS_A_SECOND = 25
"""Of each kind; only provisioned capacity is free (config `capacity: provisioned`)."""
MONTH_SECONDS = 30 * 86400

WHOLE_CPU_MB = 1769
"""With so much memory a function has one CPU; with less, its share (Lambda's developer guide)."""


MEMORY_SIZES_MB = (128, 256, 512, 1024, 1769)
"""What is compared."""


def seconds_with(memory_mb: int, wall: float, cpu: float) -> float:
    """Return how long what took so many seconds with a whole CPU takes with a memory's share of it.

    Waiting stays, computing is stretched; more than one CPU is of no use to one thread.
    """
    return max(0.0, wall - cpu) + cpu / min(1.0, memory_mb / WHOLE_CPU_MB)


def lambda_usd(memory_mb: int, seconds: float) -> float:
    """Return what an invocation costs."""
    return LAMBDA_REQUEST_USD + seconds * memory_mb / 1024 * LAMBDA_GB_SECOND_USD


@dataclass(frozen=True)
class Message:
    """What one message takes. `wall` and `cpu` are seconds, measured with a whole CPU."""

    recipients: int
    wall: float
    cpu: float
    memory_mb: int
    read_units: float
    write_units: float

    @property
    def websocket_messages(self) -> int:
        """One comes in, and one goes out to each."""
        return 1 + self.recipients

    @property
    def seconds(self) -> float:
        """How long it takes with the CPU that goes with the memory."""
        return seconds_with(self.memory_mb, self.wall, self.cpu)

    @property
    def gb_seconds(self) -> float:
        """What Lambda bills."""
        return self.seconds * self.memory_mb / 1024

    def usd(self) -> Mapping[str, float]:
        """Return what a message costs beyond the Free Tier, by service."""
        return {
            "API Gateway": self.websocket_messages * WEBSOCKET_MESSAGE_USD,
            "Lambda": lambda_usd(self.memory_mb, self.seconds),
            "DynamoDB": self.read_units * READ_UNIT_USD + self.write_units * WRITE_UNIT_USD,
        }

    def free_a_month(self) -> Mapping[str, int]:
        """Return how many messages a month each allowance is enough for, spread evenly."""
        return {
            "API Gateway messages": FREE_WEBSOCKET_MESSAGES // self.websocket_messages,
            "Lambda requests": FREE_LAMBDA_REQUESTS,
            "Lambda GB-seconds": int(FREE_LAMBDA_GB_SECONDS / self.gb_seconds),
            "DynamoDB reads": int(FREE_UNITS_A_SECOND * MONTH_SECONDS / self.read_units),
            "DynamoDB writes": int(FREE_UNITS_A_SECOND * MONTH_SECONDS / self.write_units),
        }
