"""The school's API as the contract describes it: the only room that knows how it is asked and how it counts."""
