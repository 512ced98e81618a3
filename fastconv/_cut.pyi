class Cuttable:
    repeats: int
    strips: int
    most_strips: int
    most_parts: int
    def units(self, team: int) -> int: ...
