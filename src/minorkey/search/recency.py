"""How far back a study may look: training windows, and half-lives of the weights of training rows."""

from dataclasses import dataclass, replace

from minorkey.trials.trial import Configuration

__all__ = ["Recency"]


@dataclass(frozen=True)
class Recency:
    """What may be chosen, None for all rows and for no fading. Fewer than two values: no choice.

    Attributes:
        train_windows: lengths in seconds; a single one has been cut to already.
        half_lives: ages in seconds at which a row weighs half. Only rows that keep their weights can fade:
            not those of a resampler.
    """

    train_windows: tuple[float | None, ...] = ()
    half_lives: tuple[float | None, ...] = ()

    @property
    def always_fades(self) -> bool:
        """Whether every fit weighs rows by their age."""
        return bool(self.half_lives) and None not in self.half_lives

    def longest_window(self) -> float | None:
        """The training window of a configuration that states none."""
        return _longest(self.train_windows) if len(self.train_windows) > 1 else None

    def longest_half_life(self, resampler: str) -> float | None:
        """The half-life of a configuration that states none."""
        return _longest(self.half_lives) if resampler == "none" else None

    def placed(self, configuration: Configuration) -> Configuration:
        """The configuration, where its window or half-life is not offered with what it would be unstated."""
        window, half_life = configuration.train_window, configuration.recency_half_life
        if len(self.train_windows) < 2 or window not in self.train_windows:
            window = self.longest_window()
        if configuration.resampler != "none" or half_life not in self.half_lives:
            half_life = self.longest_half_life(configuration.resampler)
        return replace(configuration, train_window=window, recency_half_life=half_life)


def _longest(choices: tuple[float | None, ...]) -> float | None:
    """The longest of some lengths of time, where None is longer than any; None of none."""
    lengths = [one for one in choices if one is not None]
    return max(lengths) if len(lengths) == len(choices) and lengths else None
