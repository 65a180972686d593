"""`make bench`: print the speed of reading, of talking to a model server and to Odoo."""

from tests.bench import model_client, odoo, reading


def main() -> None:
    """Run all benches."""
    print("Reading")
    reading.main()
    print("\nModel server")
    model_client.main()
    print("\nOdoo")
    odoo.main()


if __name__ == "__main__":
    main()
