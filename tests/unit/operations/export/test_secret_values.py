"""Variables whose values nobody wants to find in an image."""

from __future__ import annotations

import pytest

from localep.operations.export.secret_values import Sort, of_sort, sort_of

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASSWORD", "x"),
        ("DB_PASSWORD", "correct horse"),
        ("pwd", "a1"),
        ("CLIENT_SECRET", "abc"),
        ("HF_TOKEN", "abc"),
        ("OPENAI_API_KEY", "abc"),
        ("APIKEY", "abc"),
        ("STORAGE_ACCOUNT_KEY", "abc"),
        ("AZURE_STORAGE_CONNECTION_STRING", "UseDevelopmentStorage"),
        ("SAS", "sv=2020"),
        ("TOKEN_2", "abc"),
        ("COSMOS_KEY", "C2y6yDjf5R+ob0N8A7Cgv=="),
        ("STORAGE", "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abc=="),
        ("DATABASE_URL", "postgresql://user:pass@db.example/app"),
        ("BLOB", "https://a.example/c?sp=r&sig=aGVsbG8gd29ybGQgaGVsbG8%3D"),
        ("AUTH", f"Bearer {TOKEN}"),
        ("PEM", "-----BEGIN RSA PRIVATE KEY-----\nabc"),
        ("GH", "ghp_0123456789abcdefghij"),
        ("MODEL_HUB", "hf_0123456789abcdefghijABCDE"),
    ],
)
def test_a_secret(name: str, value: str) -> None:
    assert sort_of(name, value) is Sort.SECRET


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GREETING", "Hello"),
        ("MAX_TOKENS", "a lot"),
        ("TOKENIZER", "bert"),
        ("TOKEN_LIMIT", "512"),
        ("TOKEN_URL", "https://login.example/token"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/var/azureml-app/key.json"),
        ("USE_SECRET", "true"),
        ("PASSWORD", ""),
        ("PARTITION_KEY", "customer"),
        ("MONKEY", "abcdefgh12345678"),
        ("CACHE_KEY", "customer-and-region"),
        ("WEIGHTS", "a1b2c3d4e5f6a7b8c9d0"),
        ("ENDPOINT", "https://api.example/v1?x=1"),
    ],
)
def test_no_secret(name: str, value: str) -> None:
    assert sort_of(name, value) is Sort.PLAIN


@pytest.mark.parametrize(
    "value",
    [
        "${{azureml://connections/openai/credentials/key}}",
        "${{keyvault:https://vault.example/secrets/name/1}}",
    ],
)
def test_a_reference_to_a_secret_of_the_cloud(value: str) -> None:
    assert sort_of("API_KEY", value) is Sort.REFERENCE


def test_the_variables_of_a_sort_keep_their_order() -> None:
    variables = {"Z_TOKEN": "abc", "PLAIN": "1", "A_TOKEN": "abc"}

    assert of_sort(variables, Sort.SECRET) == ("Z_TOKEN", "A_TOKEN")
