"""What an allegation makes somebody owe, and the dates that follow from it.

`notices`: word owed to others. `answers`: the wait for theirs. `interviews`: the police and the
solicitor. `cover`: insurance, the legal line, counselling, money. `moves`: where a child lives
meanwhile. `outcomes`: how it ended, as told. `approvals`: the twenty-eight days, and support
afterwards. `repeats`: earlier ones about the same person. `agenda`: all of it, what is next first.
`dates`: one deadline at a time. Called by the page /duties and by desk/allegations.
"""
