"""What the ledger keeps of learning: each bill once, forgetting for good, and shadow mode with its tally."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import count

from sqlalchemy import text

from connector.judgement import Judge, Owner
from connector.ledger.learning import KeptProposal, Learning
from connector.ledger.records import ReviewSummary
from connector.ledger.states import JobState
from connector.ledger.store import Ledger
from inference.invoice import Reading
from mappings.lessons import Compared
from mappings.memory import Kind, Lesson, Memory, Subject
from mappings.policy import Decision, Outcome, Policy
from mappings.proposal import Proposal
from mappings.shadow import Shadow, Shown
from tests.unit.mappings_builder import TODAY, draft_bill, index, paper_bill, vendor_id
from tests.unit.test_ledger import attachment, clock, effect, ledger, ledger_url, poll

__all__ = ["clock", "ledger", "ledger_url"]

PAPER = vendor_id("brunnhuber")
NAME = "Papierhaus Brunnhuber GmbH & Co. KG"
INDEX = index()
SUBJECT = Subject(Kind.VENDOR, "seller_name", "PAPIERISARTOR")
LESSON = Lesson(SUBJECT, "Papier Isartor", (PAPER,), NAME, "1", date(2026, 3, 2), NAME)
numbers = count(1)


def judged(
    ledger: Ledger,
    outcome: Outcome = Outcome.REVIEW,
    score: float = 0.95,
    held: bool = False,
    backend: str = "main",
) -> int:
    """A Job that was filled or asked about, with its Proposal; its id."""
    number = next(numbers)
    ledger.remember(backend, poll(replace(attachment(number, record=number), backend=backend)))
    job = ledger.claim("worker", [backend])
    assert job
    reading = ledger.keep_reading(job, "test", "1", Reading("test", {}).as_json())
    decision = Decision(outcome, ("why",), score=score, held=held)
    ledger.keep_proposal(job, reading, Proposal(job.model, job.record_id).as_json(), decision)
    if outcome is Outcome.SKIP:
        ledger.finish(job, JobState.SKIPPED, "not_ours", "A letter.")
        return job.id
    state = JobState.FILLED if outcome is Outcome.FILL else JobState.IN_REVIEW
    done = effect(f"k{number}", state)
    ledger.intend(job, done)
    ledger.settle(job, done, ReviewSummary("Bill") if outcome is Outcome.REVIEW else None)
    return job.id


def learn(
    learning: Learning, job_id: int, *wrong: str, lessons: tuple[Lesson, ...] = (), vendor: int = PAPER
) -> bool:
    kept = learning.kept(job_id)
    assert kept
    return learning.learn("main", job_id, kept, Compared(vendor, NAME, wrong, (), lessons))


def test_lessons_come_back_as_they_were_taught(ledger: Ledger) -> None:
    learning = Learning(ledger.engine)
    long = replace(LESSON, subject=Subject(Kind.ACCOUNT, "item_name", "x" * 5000, 7, 1), printed="“Ω”" * 900)
    learning.teach("main", [LESSON, long])
    learning.teach("other", [LESSON])
    assert sorted(learning.lessons("main"), key=lambda one: one.subject.id) == sorted(
        [LESSON, long], key=lambda one: one.subject.id
    )
    learning.teach("main", [replace(LESSON, value=(3,))])
    assert [one.value for one in learning.lessons("main") if one.subject == SUBJECT] == [(3,)]


def test_forgetting_is_for_good_and_for_one_backend(ledger: Ledger) -> None:
    learning = Learning(ledger.engine)
    for backend in ("main", "other"):
        learning.teach(backend, [replace(LESSON, document=d) for d in "123"])
    assert learning.forget("main", [SUBJECT.id]) == 3
    assert learning.lessons("main") == []
    assert learning.forget("main", [SUBJECT.id]) == 0
    assert len(learning.lessons("other")) == 3
    with ledger.engine.connect() as connection:
        kept = connection.execute(text("SELECT printed FROM lesson WHERE backend = 'main'")).all()
    assert kept == []


def test_what_a_person_sets_replaces_what_was_learned(ledger: Ledger) -> None:
    learning = Learning(ledger.engine)
    learning.teach("main", [replace(LESSON, document=d, value=(9,)) for d in "123"])
    learning.set("main", replace(LESSON, document="", set_by="owner"))
    [entry] = Memory(learning.lessons("main")).entries()
    assert (entry.value, entry.set_by, entry.is_sure, entry.against) == ((PAPER,), "owner", True, 0)


def test_each_bill_is_learned_once(ledger: Ledger) -> None:
    learning = Learning(ledger.engine)
    job = judged(ledger)
    judged(ledger, Outcome.SKIP)
    judged(ledger, backend="other")
    assert [bill.job_id for bill in learning.open_bills("main")] == [job]
    assert learn(learning, job, lessons=(LESSON,))
    assert learning.open_bills("main") == []
    assert not learn(learning, job, lessons=(replace(LESSON, value=(1,), document="2"),))
    assert learning.lessons("main") == [LESSON]


def test_a_forgotten_lesson_does_not_come_back_from_the_same_bill(ledger: Ledger) -> None:
    learning = Learning(ledger.engine)
    job = judged(ledger)
    learn(learning, job, lessons=(LESSON,))
    learning.forget("main", [SUBJECT.id])
    assert not learn(learning, job, lessons=(LESSON,))
    assert learning.lessons("main") == []


def test_a_bill_in_review_that_a_person_posts_leaves_the_queue(ledger: Ledger) -> None:
    asked, filled = judged(ledger), judged(ledger, Outcome.FILL)
    assert ledger.settled_by_person(asked, "BILL/7 is posted.")
    assert not ledger.settled_by_person(asked, "BILL/7 is posted.")
    assert not ledger.settled_by_person(filled, "BILL/8 is posted.")
    assert ledger.reviews() == ()
    story = ledger.story(asked)
    assert story
    assert story.review
    assert (story.job.state, story.review.verdict) == (JobState.SKIPPED, "posted")
    # It still teaches, should the process have died in between.
    assert {bill.job_id for bill in Learning(ledger.engine).open_bills("main")} == {asked, filled}


def test_evidence_is_what_only_confidence_decided(ledger: Ledger) -> None:
    learning = Learning(ledger.engine)
    learn(learning, judged(ledger, Outcome.FILL, 0.97))
    learn(learning, judged(ledger, Outcome.REVIEW, 0.93, held=True), "ref")
    learn(learning, judged(ledger, Outcome.REVIEW, 0.0), "partner_id")
    assert {(trial.score, trial.right) for trial in learning.trials("main")} == {(0.97, True), (0.93, False)}
    shadow = learning.shadow("main", PAPER, NAME, 0)
    assert shadow.tally == "2 of 3 bills would have been filled, 1 wrong"


def test_a_switch_is_kept_and_listed(ledger: Ledger) -> None:
    learning = Learning(ledger.engine)
    learn(learning, judged(ledger, Outcome.FILL))
    learning.switch_shadow("main", PAPER, NAME, is_on=True, actor="owner")
    learning.switch_shadow("main", 105, "Alpenrand", is_on=True, actor="owner")
    learning.switch_shadow("main", 105, "Alpenrand", is_on=False, actor="owner")
    assert [(s.vendor, s.is_on, len(s.bills)) for _, s in learning.shadows("main", 5)] == [
        ("Alpenrand", False, 0),
        (NAME, True, 1),
    ]


def judgement(ledger: Ledger, owner: Owner) -> Decision:
    judge = Judge("main", Learning(ledger.engine), owner)
    return judge.judge(paper_bill(), draft_bill(), INDEX, TODAY, judge.knowledge()).decision


def test_a_vendor_in_shadow_is_asked_about_and_the_sentence_counts(ledger: Ledger) -> None:
    learning = Learning(ledger.engine)
    assert judgement(ledger, Owner()).outcome is Outcome.FILL
    learning.switch_shadow("main", PAPER, NAME, is_on=True, actor="owner")
    for _ in range(2):
        learn(learning, judged(ledger, Outcome.REVIEW, held=True))
    made = judgement(ledger, Owner())
    assert (made.outcome, made.held, made.write) == (Outcome.REVIEW, True, ())
    assert made.reasons == (
        f"{NAME} is in shadow mode: all is sure, and Vouch would have filled this. So far 2 of 2 bills would have been filled, 0 wrong.",
    )
    learning.switch_shadow("main", PAPER, NAME, is_on=False, actor="owner")
    assert judgement(ledger, Owner(shadow_bills=50)).outcome is Outcome.FILL


def test_new_vendors_are_in_shadow_for_so_many_bills(ledger: Ledger) -> None:
    learning, owner = Learning(ledger.engine), Owner(shadow_bills=2)
    assert judgement(ledger, owner).held
    learn(learning, judged(ledger, held=True))
    assert judgement(ledger, owner).held
    learn(learning, judged(ledger, held=True))
    assert judgement(ledger, owner).outcome is Outcome.FILL


def test_a_wrong_bill_prolongs_the_shadow() -> None:
    bills = [Shown(True, True), Shown(True, False), Shown(False, False), Shown(True, True)]
    assert Shadow("V", None, bills[:2], first=2).is_on
    assert Shadow("V", None, bills[:3], first=2).is_on
    assert not Shadow("V", None, bills, first=2).is_on
    assert not Shadow("V", None, (), first=0).is_on


def test_nothing_is_filled_until_the_error_budget_is_proven(ledger: Ledger) -> None:
    learning = Learning(ledger.engine)
    owner = Owner(Policy(), error_budget=0.2, budget_confidence=0.9)
    made = judgement(ledger, owner)
    assert (made.outcome, made.held) == (Outcome.REVIEW, True)
    assert "at least 11 are needed" in made.reasons[0]
    for _ in range(11):
        learn(learning, judged(ledger, held=True))
    assert judgement(ledger, owner).outcome is Outcome.FILL
    for _ in range(11):
        learn(learning, judged(ledger, Outcome.FILL), "ref")
    assert "were wrong" in judgement(ledger, owner).reasons[0]


def test_the_score_is_the_highest_dial_that_fills(ledger: Ledger) -> None:
    score = judgement(ledger, Owner()).score
    assert 0.9 < score < 1
    assert judgement(ledger, Owner(Policy(fill_confidence=score))).outcome is Outcome.FILL
    stricter = judgement(ledger, Owner(Policy(fill_confidence=score + 0.001)))
    assert (stricter.outcome, stricter.score) == (Outcome.REVIEW, score)


def test_kept_proposals_are_those_a_bill_could_be_filled_from(ledger: Ledger) -> None:
    learning = Learning(ledger.engine)
    kept = learning.kept(judged(ledger, Outcome.FILL, 0.91))
    assert isinstance(kept, KeptProposal)
    assert (kept.outcome, kept.score, kept.held) == ("fill", 0.91, False)
    assert learning.kept(judged(ledger, Outcome.SKIP)) is None
