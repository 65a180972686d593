"""Training of the learned scorer: from folders of documents with truth to `readers/layout/scorer.json`.

`make train DIR=…` is the whole of it: documents are generated (`python -m tests.samples.labelled`), those of DIR are
made scans of (`python -m tests.bench.degraded`), and `python -m inference.training DIR… [--write]` reads all folders
(in the forms that `vouch eval` takes), fits one conditional logit per group of terms, and prints what it reads of
documents it has not seen. Documents of one seller or of one template are one group, and a group is
never both learned from and measured (five folds). The weights are drawn towards `fitting.BEFOREHAND`, what rules give
where examples say nothing. The calibration is fitted on choices in documents that the weights have not seen, and is
itself measured on folds it has not seen. `scorer.json` names the seed and how many documents of each set it was
learned from. scikit-learn and SciPy are needed here only.
"""
