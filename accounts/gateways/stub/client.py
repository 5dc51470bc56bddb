"""The SDK's HTTP client, answered by the simulator in this process."""

from __future__ import annotations

import stripe


class SimulatorClient(stripe.HTTPClient):
    """Carries the SDK's requests to the simulator instead of the network."""

    name = "simulator"
