"""`make bench`: print the speed of reading and of talking to Odoo."""

from tests.bench import odoo, reading


def main() -> None:
    """Run all benches."""
    print("Reading")
    reading.main()
    print("\nOdoo")
    odoo.main()


if __name__ == "__main__":
    main()
