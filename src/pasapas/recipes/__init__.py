"""Recipes: named, complete training set-ups, as TOML files in this folder or anywhere else."""

from pasapas.recipes.definition import FIELDS, Recipe, load_recipe, parse_field, recipe, recipe_names

__all__ = ["FIELDS", "Recipe", "load_recipe", "parse_field", "recipe", "recipe_names"]
