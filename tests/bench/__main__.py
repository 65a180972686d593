"""`make bench`: print the speed of reading, of a model server and of Odoo, and how well and fast is matched."""

from tests.bench import matching, model_client, odoo, reading, review


def main() -> None:
    """Run all benches."""
    print("Reading")
    reading.main()
    print("\nModel server")
    model_client.main()
    print("\nMatching")
    matching.main()
    print("\nScreens")
    review.main()
    print("\nOdoo")
    odoo.main()


if __name__ == "__main__":
    main()
