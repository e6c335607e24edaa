"""A session of Spark on this machine alone, in a process of its own: reads orders as lines of JSON, answers in JSON.

``{"view": NAME, "select": SQL}`` names what a query gives; ``{"rows": SQL}`` asks for its rows, as text, and the types
of its columns. Imports nothing of the repository: its environment has pyspark alone.
"""

from __future__ import annotations

import json
import sys
from typing import TextIO

from pyspark.sql import SparkSession  # type: ignore[import-not-found]

# Small tables and hundreds of queries: there is nothing to share out.
QUICK = {
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.ui.enabled": "false",
}


def main(orders: TextIO, answers: TextIO) -> None:
    """Answer orders until there are no more; the settings of the session are the program's argument."""
    builder = SparkSession.builder.master("local[1]")
    for name, value in (QUICK | json.loads(sys.argv[1])).items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    for line in orders:
        answers.write(json.dumps(answer(spark, json.loads(line))) + "\n")
        answers.flush()


def answer(spark: SparkSession, order: dict[str, str]) -> dict[str, object]:
    """Do what an order says; where Spark cannot, say what it says."""
    try:
        if "view" in order:
            made = spark.sql(order["select"])
            # Worked out at once, so that what stands on it does not work it out again.
            spark.createDataFrame(made.collect(), made.schema).createOrReplaceTempView(order["view"])
            return {}
        found = spark.sql(order["rows"])
        return {"rows": [[*map(str, row)] for row in found.collect()], "types": [kind for _, kind in found.dtypes]}
    except Exception as error:  # noqa: BLE001 whatever Spark raises is the answer
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    main(sys.stdin, sys.stdout)
