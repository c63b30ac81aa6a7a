"""pytrec_eval: reads judgements and a run, scores them, prints the seconds of both together."""
import sys
import time

import pytrec_eval

qrels_file, run_file, measures = sys.argv[1:4]
started = time.perf_counter()
with open(qrels_file) as lines:
    qrels = pytrec_eval.parse_qrel(lines)
with open(run_file) as lines:
    run = pytrec_eval.parse_run(lines)
evaluator = pytrec_eval.RelevanceEvaluator(qrels, set(measures.split(",")))
evaluator.evaluate(run)
print(time.perf_counter() - started)
