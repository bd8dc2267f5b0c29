"""What an installation counts, in Prometheus' terms; read at `/metrics`."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

# Of each model: what is summed up of its calls, by the name of the sample.
_USED = {
    "ragbots_llm_calls_total": "calls",
    "ragbots_llm_tokens_total": "tokens",
    "ragbots_llm_cost_total": "cost",
    "ragbots_llm_seconds_sum": "seconds",
}
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


class Metrics:
    """Counters of their own for every installation, so that two in one process do not mix."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._questions = Counter(
            "ragbots_questions",
            "Questions answered, by bot, status and door",
            ("bot", "status", "channel"),
            registry=registry,
        )
        self._seconds = Histogram(
            "ragbots_question_seconds",
            "From question to whole answer",
            ("channel",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._calls = Counter(
            "ragbots_llm_calls", "Requests to language models, by outcome", ("llm", "outcome"), registry=registry
        )
        self._tokens = Counter("ragbots_llm_tokens", "Tokens read and written", ("llm", "kind"), registry=registry)
        self._cost = Counter("ragbots_llm_cost", "Price of the tokens, as configured", ("llm",), registry=registry)
        self._first = Histogram(
            "ragbots_llm_first_token_seconds",
            "Until a model said something",
            ("llm",),
            buckets=_SECONDS,
            registry=registry,
        )
        self._whole = Histogram(
            "ragbots_llm_seconds", "Until a model's request ended", ("llm",), buckets=_SECONDS, registry=registry
        )
        self._checked = Counter(
            "ragbots_llm_answers",
            "Answers of language models by what the check made of them",
            ("bot", "outcome"),
            registry=registry,
        )
        self._released = Gauge("ragbots_released_bots", "Bots with a version that answers", registry=registry)

    def question(self, bot: str | None, status: str, channel: str, seconds: float) -> None:
        self._questions.labels(bot or "", status, channel).inc()
        self._seconds.labels(channel).observe(seconds)

    def call(self, llm: str, outcome: str, seconds: float, first_seconds: float | None) -> None:
        self._calls.labels(llm, outcome).inc()
        self._whole.labels(llm).observe(seconds)
        if first_seconds is not None:
            self._first.labels(llm).observe(first_seconds)

    def spent(self, llm: str, input_tokens: int, output_tokens: int, cost: float) -> None:
        self._tokens.labels(llm, "input").inc(input_tokens)
        self._tokens.labels(llm, "output").inc(output_tokens)
        self._cost.labels(llm).inc(cost)

    def checked(self, bot: str, outcome: str) -> None:
        self._checked.labels(bot, outcome).inc()

    def released(self, count: int) -> None:
        self._released.set(count)

    def used(self) -> dict[str, dict[str, float]]:
        """Of each model that was asked: `calls`, `input_tokens`, `output_tokens`, `cost`, and the `seconds` of all."""
        found: dict[str, dict[str, float]] = {}
        for sample in (sample for metric in self._registry.collect() for sample in metric.samples):
            if sample.name in _USED:
                kind = sample.labels.get("kind")
                name = f"{kind}_{_USED[sample.name]}" if kind else _USED[sample.name]
                sums = found.setdefault(sample.labels["llm"], {})
                sums[name] = sums.get(name, 0.0) + sample.value
        return found

    def page(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)
