"""The cost model: the price of a message on AWS, from its requests, units and seconds.

Not included, because equal for both ways: connection minutes ($0.25 per million), transfer out, storage, logs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

PRICES_SOURCE = "AWS's price pages for us-east-1 (API Gateway, Lambda arm64, DynamoDB on demand), as of July 2025"
WEBSOCKET_MESSAGE_USD = 1.00 / 1e6
"""Per message of up to 32 KB, for the first billion a month; a post to a connection counts as one."""
LAMBDA_REQUEST_USD = 0.20 / 1e6
LAMBDA_GB_SECOND_USD = 0.0000133334
READ_UNIT_USD = 0.125 / 1e6
WRITE_UNIT_USD = 0.625 / 1e6

FREE_WEBSOCKET_MESSAGES = 1_000_000
FREE_LAMBDA_REQUESTS = 1_000_000
FREE_LAMBDA_GB_SECONDS = 400_000
FREE_UNITS_A_SECOND = 25
"""Read and write units each. Only provisioned capacity is free (config `capacity: provisioned`)."""
MONTH_SECONDS = 30 * 86400

WHOLE_CPU_MB = 1769
"""Memory that comes with one full CPU; less memory has a proportional share (Lambda developer guide)."""

MEMORY_SIZES_MB = (128, 256, 512, 1024, 1769)
"""Memory sizes to compare."""


def seconds_with(memory_mb: int, wall: float, cpu: float) -> float:
    """Convert a duration measured with a full CPU to a memory size. `wall` and `cpu` are in seconds.

    CPU time is stretched, waiting is not; a single thread cannot use more than one CPU.
    """
    return max(0.0, wall - cpu) + cpu / min(1.0, memory_mb / WHOLE_CPU_MB)


def lambda_usd(memory_mb: int, seconds: float) -> float:
    """Return the price of an invocation."""
    return LAMBDA_REQUEST_USD + seconds * memory_mb / 1024 * LAMBDA_GB_SECOND_USD


@dataclass(frozen=True)
class Message:
    """Resources used by one message. `wall` and `cpu` are in seconds, measured with a full CPU."""

    recipients: int
    wall: float
    cpu: float
    memory_mb: int
    read_units: float
    write_units: float

    @property
    def websocket_messages(self) -> int:
        """Billed messages: one in, and one out per recipient."""
        return 1 + self.recipients

    @property
    def seconds(self) -> float:
        """Duration with the CPU share of the memory size."""
        return seconds_with(self.memory_mb, self.wall, self.cpu)

    @property
    def gb_seconds(self) -> float:
        """Billed by Lambda."""
        return self.seconds * self.memory_mb / 1024

    def usd(self) -> Mapping[str, float]:
        """Return the price of a message beyond the Free Tier, by service."""
        return {
            "API Gateway": self.websocket_messages * WEBSOCKET_MESSAGE_USD,
            "Lambda": lambda_usd(self.memory_mb, self.seconds),
            "DynamoDB": self.read_units * READ_UNIT_USD + self.write_units * WRITE_UNIT_USD,
        }

    def free_a_month(self) -> Mapping[str, int]:
        """Return how many evenly spread messages a month each free allowance covers."""
        return {
            "API Gateway messages": FREE_WEBSOCKET_MESSAGES // self.websocket_messages,
            "Lambda requests": FREE_LAMBDA_REQUESTS,
            "Lambda GB-seconds": int(FREE_LAMBDA_GB_SECONDS / self.gb_seconds),
            "DynamoDB reads": int(FREE_UNITS_A_SECOND * MONTH_SECONDS / self.read_units),
            "DynamoDB writes": int(FREE_UNITS_A_SECOND * MONTH_SECONDS / self.write_units),
        }
