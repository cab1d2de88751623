"""Rows with a known truth: normal scores of two classes, with or without entities that share an effect."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit


@dataclass(frozen=True)
class Scenario:
    """How rows are drawn.

    Attributes:
        name: what a table calls it.
        rows: rows of one test.
        prevalence: probability of a positive.
        separation: distance of the positives' mean score, in standard deviations.
        threshold: on the probability.
        entities: entities of one test; 0: rows are independent.
        shared: share of the score's variance that an entity's rows have in common.
        propensity: standard deviation of the entities' log odds of being positive.
    """

    name: str
    rows: int
    prevalence: float
    separation: float
    threshold: float
    entities: int = 0
    shared: float = 0.25
    propensity: float = 1.0

    def draw(self, generator, tests=1):
        """Labels, latent scores and entities (None without) of so many tests' worth of rows."""
        n = self.rows * tests
        if not self.entities:
            y = generator.random(n) < self.prevalence
            return y.astype(np.int8), self.separation * y + generator.normal(size=n), None
        entities = self.entities * tests
        entity = np.repeat(np.arange(entities), self.rows // self.entities)
        odds = (
            logit(self.prevalence)
            - self.propensity**2 / 2
            + self.propensity * generator.normal(size=entities)
        )
        y = generator.random(len(entity)) < expit(odds)[entity]
        effect = np.sqrt(self.shared) * generator.normal(size=entities)[entity]
        noise = np.sqrt(1 - self.shared) * generator.normal(size=len(entity))
        return y.astype(np.int8), self.separation * y + effect + noise, entity

    def probability(self, latent):
        """The probability that the latent score implies for independent rows."""
        return expit(self.separation * latent - self.separation**2 / 2 + logit(self.prevalence))
