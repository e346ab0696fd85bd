"""The pages, one file a place in the console. They ask desk and reports; they decide nothing."""
