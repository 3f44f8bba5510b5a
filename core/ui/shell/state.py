"""Everything that the session of a browser holds: each key once, with its type, by what it is for.

A widget takes its key from here too (`key=state.MODEL.name`), so that no two pages ever mean different things by one
name. No other module reads or writes `st.session_state`. Names stay as they are once they have been in a link.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

import streamlit as st

if TYPE_CHECKING:
    from core.cause import Cause
    from core.datasets import ColumnPlan, FileRows, ImportProposal, LoadedDataset
    from core.errors import AppError
    from core.faithfulness import Trace
    from core.jobs import Job
    from core.models.local.alternatives import Alternatives
    from core.records import Example, ModelSpec
    from core.target_choice import Target
    from core.ui.asking.answering import Answer
    from core.ui.compare_page.run import SideBySide
    from core.ui.counterfactuals_page.staging import Staged
    from core.ui.salience_page.measuring import TakeOutTrial

T = TypeVar("T")
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Key(Generic[T]):
    """One value of the session."""

    name: str

    @property
    def held(self) -> bool:
        """Whether the session has it: it was set, or its widget was drawn."""
        return self.name in st.session_state

    @overload
    def get(self) -> T | None: ...
    @overload
    def get(self, otherwise: D) -> T | D: ...
    def get(self, otherwise: Any = None) -> Any:
        """What is held; `otherwise` where nothing is."""
        return st.session_state.get(self.name, otherwise)

    def there(self) -> T:
        """What is held. Raises: KeyError where nothing is."""
        return cast(T, st.session_state[self.name])

    def set(self, value: T) -> None:
        """Hold `value`; for a widget's key only before the widget is drawn."""
        st.session_state[self.name] = value

    def setdefault(self, value: T) -> T:
        """What is held; `value` from now on where nothing was."""
        return cast(T, st.session_state.setdefault(self.name, value))

    @overload
    def pop(self) -> T | None: ...
    @overload
    def pop(self, otherwise: D) -> T | D: ...
    def pop(self, otherwise: Any = None) -> Any:
        """What was held, and hold it no longer."""
        return st.session_state.pop(self.name, otherwise)


@dataclass(frozen=True, slots=True)
class Keys(Generic[T]):
    """A family of keys: one for each example, model, page or whatever the places in `pattern` stand for."""

    pattern: str

    def __call__(self, *places: object) -> Key[T]:
        return Key(self.pattern.format(*places))


# --- who looks, and at what: every page

OWNER: Key[str] = Key("owner")
LOOKING_AT: Key[str] = Key("looking at")
WORKSPACE: Key[str] = Key("workspace")
OPENED_SHARE: Key[str] = Key("token of the shared link")
DATASET: Key[str] = Key("dataset")
EXAMPLE: Key[str] = Key("example")
OPEN_EXAMPLE: Keys[str] = Keys("open {}")
ADDRESSES_LEFT: Key[dict[str, dict[str, None]]] = Key("addresses left")
"""By name: values in the address that this session has replaced."""
MODEL: Key[str] = Key("model")
CHOOSE_MODEL: Key[str] = Key("choose model")
MODEL_NOTES_TOLD: Key[set[tuple[str, str]]] = Key("model notes told")
JOB_BOX: Key[dict[str, Job[Any]]] = Key("job box")
JOB_SAID: Keys[str] = Keys("job box {} said")
STOP_BOX: Keys[bool] = Keys("stop {}")
STOP_JOB: Keys[bool] = Keys("stop job {}")
FIELD: Keys[Any] = Keys("{} {}")
"""What was chosen for a field of a family's member: (member, field)."""
REQUESTS_AGREED: Key[set[str]] = Key("requests agreed")
"""Answers whose maps may cost requests of a server."""
ASKED_AGAIN: Key[dict[str, Job[Any]]] = Key("asked again")
ASK_AGAIN: Key[bool] = Key("ask again")
STOP_ASKING: Key[bool] = Key("stop asking again")
AGREE_TO_REQUESTS: Key[bool] = Key("agree to requests")
COPY_LINK: Key[Any] = Key("copy-link")
SHARE_RIGHTS: Key[str] = Key("share rights")
SHARE_LASTS: Key[str] = Key("share lasts")
AWAY_DAYS: Key[float] = Key("days that nobody came")
MAKE_LINK: Key[bool] = Key("make link")
NEW_LINK: Key[str] = Key("new shared link")
REVOKE: Keys[bool] = Keys("revoke {}")
FORGET_SURE: Key[bool] = Key("forget sure")
FORGET: Key[bool] = Key("forget")
TAKE_IN_FILE: Keys[Any] = Keys("file to take in {}")
TAKEN_IN: Key[int] = Key("files taken in")
TAKEN_IN_SAID: Key[str] = Key("said of the file taken in")
TAKE_IN: Key[bool] = Key("take in")
MARKS_OF_MODELS: Key[dict[str, int]] = Key("marks of models")
MARKS_OF_VERSIONS: Key[dict[str, int]] = Key("marks of versions")

# --- what is asked: prompt, turns, versions, settings, the answer and its explained part

ANSWERS: Key[dict[tuple[str, str, str], Answer]] = Key("answers")
ASKED: Key[dict[tuple[str, str, str], Answer]] = Key("asked")
LINK_TAKEN: Key[str] = Key("link taken")
LINK_MISSING: Key[str] = Key("link missing")
TARGET: Key[Target | None] = Key("target")
DRAFTS: Key[dict[str, str]] = Key("drafts")
DRAFT_RESETS: Key[dict[str, int]] = Key("draft resets")
SETTLED_DRAFTS: Key[tuple[Example, ...]] = Key("settled drafts")
KEPT_APART: Key[tuple[str, str]] = Key("kept apart")
PROMPT_BOX: Keys[str] = Keys("prompt {}")
"""Of an example; filled anew, it is another box: "<id> (<times>)". So are the next."""
TARGET_BOX: Keys[str] = Keys("target {}")
SEND_AS: Key[str] = Key("send as")
SEND_AS_BOX: Keys[str] = Keys("send as {} ({})")
VARIABLE: Keys[str] = Keys("variable {} of {} ({})")
TURN_BOX: Keys[str] = Keys("turn {} {} {}")
REMOVE_TURN: Keys[bool] = Keys("remove turn {} {} {}")
SYSTEM: Key[str] = Key("system")
"""The system message written last."""
ROWS_SENT_AS: Key[str] = Key("rows sent as")
ROWS_SENT_AS_FOLLOWED: Key[str] = Key("rows sent as on the Salience page")
ROWS_SENT_AS_PLAIN: Key[str] = Key("rows sent as, plain only")
PARAMETERS_SAID: Key[set[str]] = Key("parameters said")
"""Which of length and end of an answer somebody chose, by name; the others are read from the prompt."""
READ_PARAMETERS: Key[bool] = Key("read parameters")
MAX_NEW_TOKENS: Key[int] = Key("max_new_tokens")
TEMPERATURE: Key[float] = Key("temperature")
TOP_P: Key[float] = Key("top_p")
SEED: Key[int] = Key("seed")
AS_TEXT: Key[bool] = Key("as_text")
AS_TEXT_NEXT: Key[bool] = Key("as_text next")
STOP_AT: Key[list[str]] = Key("stop at")
STOP_AT_NEXT: Key[list[str]] = Key("stop at next")
ROWS: Keys[str] = Keys("{} rows")
ROWS_SEARCH: Keys[str] = Keys("{} search")
ROWS_OF_THE_TABLE: Key[tuple[str, dict[str, list[str]]]] = Key("rows of the table")

# --- how it is explained: controls of all maps, and the token view

GRANULARITY: Key[str] = Key("granularity")
CHOOSE_GRANULARITY: Key[str] = Key("choose granularity")
PATTERN: Key[str] = Key("pattern")
METHOD: Key[str] = Key("method")
STRENGTH: Key[float] = Key("strength")
LOOK: Key[str] = Key("look")
REDUCE: Key[str] = Key("reduce")
VIEW: Keys[dict[str, Any]] = Keys("{}")
"""What the browser said last through the token view of this key."""
VIEW_TURN: Keys[dict[str, Any]] = Keys("{}-turn")

# --- Why this answer?

SALIENCE_TEXT: Key[Any] = Key("salience-text")
ORDERS: Key[list[dict[str, Any]]] = Key("orders")
CARD_CLOSED: Key[bool] = Key("card closed")
TOUR_ASKED_FOR: Key[int] = Key("tour asked for")
MODEL_NOT_HERE: Key[tuple[str, ModelSpec]] = Key("model that is not here")
CAUSES: Key[dict[tuple[str, tuple[int, ...], tuple[tuple[int, int], ...], tuple[int, ...]], Job[Cause]]] = (
    Key("causes")
)
TRIALS: Key[dict[str, list[TakeOutTrial]]] = Key("trials")
LOCKED: Key[dict[str, tuple[int, ...]]] = Key("locked parts")
"""Parts that stay in whatever is taken out, where the person said so: by prompt and how it is cut."""
LOCKED_BOX: Keys[list[int]] = Keys("locked parts of {} {}")
PART_TESTS: Key[dict[str, Job[Any]]] = Key("part tests")
PART_WAY: Key[str] = Key("part way")
START_PART_TEST: Key[bool] = Key("start part test")
STOP_PART_TEST: Key[bool] = Key("stop part test")
STAND_IN: Key[ModelSpec] = Key("stand-in")
STAND_INS: Key[dict[str, Job[Any]]] = Key("stand-ins")
ASK_STAND_IN: Key[bool] = Key("ask stand-in")
CHECK_STAND_IN: Key[bool] = Key("check stand-in")
CONTRAST: Key[str] = Key("contrast")
CONTRAST_WORDS: Key[tuple[str, str]] = Key("contrast words")
CONTRAST_AT: Keys[int] = Keys("contrast at {} {} {}")
CONTRAST_WITH: Keys[Any] = Keys("contrast with {}")
ALTERNATIVES: Key[dict[str, Job[Alternatives | None]]] = Key("alternatives")
OPEN_VERSION: Keys[bool] = Keys("open version {}")
GO_ON_WITH_MAP: Key[bool] = Key("go on")
STOP_MAP: Key[bool] = Key("stop map")
DETAILS: Key[str] = Key("details")
NEEDED: Key[dict[str, Job[Any]]] = Key("needed")
FIND_NEEDED: Key[bool] = Key("find-needed")
STOP_NEEDED: Key[bool] = Key("stop-needed")
HEATMAP: Key[dict[str, Any]] = Key("heatmap")
TOKEN_PROBABILITIES: Key[Any] = Key("token-probabilities")
DOWNLOAD: Keys[Any] = Keys("download {}")

# --- Compare models, Compare prompts

COMPARED: Key[list[str]] = Key("compared")
VERSIONS: Key[list[str]] = Key("versions")
VERSIONS_OF: Keys[list[str]] = Keys("versions of {}")
COMPARISON: Keys[SideBySide | None] = Keys("comparison {}")
STOP_COMPARISON: Key[bool] = Key("stop-comparison")
COMPARE_DETAILS: Key[bool] = Key("compare-details")
ANSWER_VIEW: Keys[Any] = Keys("answer-{}")
MAP_VIEW: Keys[Any] = Keys("map-{}")
MODEL_BARS: Key[Any] = Key("model-bars")
DIFFERENCE_AGAINST: Key[int] = Key("difference-against")
GAINED_LOST: Key[Any] = Key("gained-lost")
CROSS_LIKELIHOOD: Key[Any] = Key("cross-likelihood")
TOKEN_PROBABILITIES_OF: Key[int] = Key("token-probabilities-of")
TOKENS_OF: Keys[Any] = Keys("tokens-{}-{}")

# --- Which version wins?

TABLE_OPEN: Key[str] = Key("table")
"""The open table; in the address, too."""
TABLE_DRAFTS: Keys[list[tuple[int, str, str]]] = Keys("table drafts {}")
"""Versions as they were put there, for a dataset: (number, name, template); the boxes hold what is typed."""
TABLE_VERSION_NAME: Keys[str] = Keys("table version {} {} name")
TABLE_VERSION_TEXT: Keys[str] = Keys("table version {} {} text")
TABLE_REMOVE_VERSION: Keys[bool] = Keys("table version {} {} remove")
TABLE_FROM_EXAMPLE: Key[str] = Key("table from example")
TABLE_FILES: Keys[Any] = Keys("table files {}")
TABLE_FILES_TURN: Key[int] = Key("table files turn")
TABLE_MODELS: Key[list[str]] = Key("table models")
TABLE_CHECK: Keys[str] = Keys("table check {}")
TABLE_SAMPLES: Key[int] = Key("table samples")
TABLE_TEMPERATURE: Key[float] = Key("table temperature")
TABLE_LENGTH: Key[int] = Key("table length")
TABLE_CHANGES: Key[list[str]] = Key("table changes")
TABLE_CHOSEN: Keys[str] = Keys("table chosen {}")
TABLE_BASELINE: Keys[int] = Keys("table baseline {}")
TABLE_COUNTING: Key[str] = Key("table counting")
TABLE_SLICE: Keys[str] = Keys("table slice {}")
TABLE_FILTER: Key[str] = Key("table filter")
TABLE_AGAINST: Keys[int] = Keys("table against {}")
TABLE_SORT: Key[str] = Key("table sort")
TABLE_SEARCH: Key[str] = Key("table search in answers")
TABLE_PAGE: Keys[int] = Keys("table page {}")
TABLE_GRID: Keys[Any] = Keys("table grid {}")
TABLE_FIGURES: Keys[Any] = Keys("table figures {}")
TABLE_EXPORT: Keys[Any] = Keys("table export {}")
TABLE_SAID: Key[str] = Key("table said")
IMPROVE_ASKED: Key[str] = Key("improve asked")
IMPROVE_COLUMN: Keys[int] = Keys("improve column {} {}")
IMPROVE_CUT: Key[str] = Key("improve cut")
IMPROVE_ROWS: Keys[int] = Keys("improve rows {} {}")
IMPROVE_PRESS: Keys[bool] = Keys("press {}")
IMPROVE_KEEP: Keys[bool] = Keys("keep improved {}")
IMPROVED: Key[dict[str, Any]] = Key("improved")
"""What was found out about a table's versions, by the question that was asked."""

# --- What do people say?

REVIEWER: Key[str] = Key("reviewer")
REVIEW_WAY: Key[str] = Key("review way")
REVIEW_SHOWN: Keys[tuple[str, int, int]] = Keys("review shown {} {} {}")
"""What is on the screen of a reviewer: (row, column, other column)."""
REVIEW_SAY: Keys[bool] = Keys("review {} {} {} {}")
COMMENT_OPEN: Keys[bool] = Keys("comment open {}")
COMMENT_NAME: Key[str] = Key("comment name")
COMMENT_QUOTE: Keys[str] = Keys("comment quote {} {}")
COMMENT_TEXT: Keys[str] = Keys("comment text {} {}")
COMMENT_KEEP: Keys[bool] = Keys("comment keep {}")
COMMENT_TURN: Key[int] = Key("comment turn")

# --- Dataset

OPEN_DATASET: Keys[str] = Keys("dataset open {}")
DATASET_SEARCH: Key[str] = Key("dataset search")
DATASET_FOUND: Key[tuple[object, Any]] = Key("dataset found")
DATASET_ROWS: Keys[str] = Keys("dataset rows {}")
DATASET_SORT: Keys[str] = Keys("dataset sort {}")
DATASET_DOWN: Key[bool] = Key("dataset down")
DATASET_FILTERS: Key[list[str]] = Key("dataset filters")
DATASET_FILTER: Keys[Any] = Keys("dataset filter {}")
DATASET_FILTER_BETWEEN: Keys[tuple[float, float]] = Keys("dataset filter {} {} {}")
DATASET_COLUMNS: Keys[list[str]] = Keys("dataset columns {} {}")
DATASET_PAGE: Keys[int] = Keys("dataset page {}")
DATASET_GRID: Keys[Any] = Keys("dataset grid {}")
DATASET_SLICE: Keys[str] = Keys("dataset slice {}")
CHANGE_SLICE: Keys[bool] = Keys("change slice {}")
DATASET_SURE: Key[bool] = Key("dataset sure")
DATASET_EXPORT: Keys[Any] = Keys("dataset export {}")
DATASET_WHICH: Keys[str] = Keys("dataset which {}")
RUN_DATASET: Key[bool] = Key("dataset run button")
GO_ON_WITH_RUN: Keys[bool] = Keys("go on {}")
FORGET_RUN: Keys[bool] = Keys("forget {}")
LOAD_MENU: Keys[bool] = Keys("dataset load menu {}")
LOAD_FILE: Key[bool] = Key("dataset load file")
LOAD_PASTED: Key[bool] = Key("dataset load pasted")
LOAD_FROM: Keys[bool] = Keys("dataset load {}")
DATASET_FILE: Key[Any] = Key("dataset file")
DATASET_FROM: Keys[str] = Keys("dataset {}")
DATASET_PASTED: Key[str] = Key("dataset pasted")
DATASET_NAME: Key[str] = Key("dataset new name")
MAKE_DATASET: Key[bool] = Key("dataset make")
DATASET_SAID: Key[str] = Key("dataset said")
IMPORT: Key[tuple[int, FileRows, ImportProposal]] = Key("import")
IMPORTS: Key[int] = Key("imports")
IMPORT_TRIED: Key[tuple[tuple[int, ColumnPlan], LoadedDataset]] = Key("import tried")
IMPORT_FIELD: Keys[Any] = Keys("import field {} {}")
ADD_IMPORT: Keys[bool] = Keys("import add {}")
CANCEL_IMPORT: Keys[bool] = Keys("import cancel {}")
CHECK_KIND: Key[str] = Key("check kind")
CHECK_JUDGE: Key[str] = Key("check judge")
CHECK_NEGATED: Key[bool] = Key("check negated")
ADD_CHECK: Key[bool] = Key("check add")
REMOVE_CHECK: Keys[bool] = Keys("remove check {}")
CHECK_COLUMNS: Keys[list[str]] = Keys("check columns {} {}")
CHECK_NOW: Keys[bool] = Keys("check {}")
ASK_JUDGE: Keys[bool] = Keys("judge {} {}")

# --- Metrics

METRICS_SYSTEMS: Key[list[str]] = Key("metrics systems")
METRICS_LANGUAGE: Key[str] = Key("metrics language")
METRICS_REMEMBERED: Key[dict[tuple[Any, ...], Any]] = Key("metrics remembered")
METRICS_TABLE: Key[Any] = Key("metrics table")
METRICS_ROW_SEEN: Key[str | None] = Key("metrics row seen")
METRICS_TAB: Key[str] = Key("metrics tab")
METRICS_GROUPS: Key[Any] = Key("metrics groups")
METRICS_GROUP_SEEN: Key[str | None] = Key("metrics group seen")
METRICS_DISTRIBUTION: Key[Any] = Key("metrics distribution")
METRICS_OTHER: Key[str] = Key("metrics other")
METRICS_SCATTER: Key[Any] = Key("metrics scatter")
METRICS_BEHIND: Key[tuple[int, list[int], str]] = Key("metrics behind")
METRICS_BEHIND_TABLE: Key[Any] = Key("metrics behind table")
METRICS_STEP: Keys[bool] = Keys("metrics step {} {}")
METRICS_DOWNLOAD: Keys[Any] = Keys("metrics download {} {}")

# --- What if?

GENERATOR: Key[str] = Key("generator")
GENERATOR_LIMIT: Key[int] = Key("limit")
GENERATOR_SEED: Key[int] = Key("generator seed")
STAGED: Key[Staged] = Key("staged")
STAGING: Key[Callable[[Any], None]] = Key("staging")
STAGED_PAGE: Key[int] = Key("staged page")
KEEP_STAGED: Keys[bool] = Keys("keep {}")
EDIT_STAGED: Keys[str] = Keys("edit {}")
USE_EDITED: Keys[bool] = Keys("use edited {}")
AFTER_ANSWERS: Key[Callable[[], None]] = Key("after answers")
EFFECTS: Key[tuple[Staged, dict[str, tuple[Example, str]], Any, Any]] = Key("effects")
"""(what was staged, originals with their answers, the report or None, how prompts were sent)."""
EFFECTS_ORDER: Key[str] = Key("effects order")
EFFECTS_METRIC: Key[str] = Key("effects metric")
EFFECTS_LIST: Key[Any] = Key("effects list")

# --- Template, Trust

TEMPLATE: Keys[str] = Keys("template {}")
TEMPLATE_METHOD: Key[str] = Key("template method")
TEMPLATE_BARS: Key[Any] = Key("template bars")
TEMPLATE_MAP: Key[Any] = Key("template map")
TRUST_NATURAL: Key[Any] = Key("trust natural")
TRUST_OWN: Key[Any] = Key("trust-own")
MEASURE_MODEL: Key[bool] = Key("measure on this model")
TRUST_NATURAL_BY_TASK: Key[Any] = Key("trust natural by task")
TRUST_OVERALL: Key[Any] = Key("trust overall")
TRUST_BY_TASK: Key[Any] = Key("trust by task")
TRUST_METHODS: Key[list[str]] = Key("trust methods")
TRUST_PARTS: Key[str] = Key("trust parts")
TRUST_WAY: Key[str] = Key("trust way")
DELETION_CURVES: Key[dict[str, tuple[Trace, ...]]] = Key("deletion curves")
DELETION_CURVE: Key[Any] = Key("deletion curve")

# --- Models

USE_MODEL: Keys[bool] = Keys("use {}")
LOAD_MODEL: Keys[bool] = Keys("load {}")
EVICT_MODEL: Keys[bool] = Keys("evict {}")
REMOVE_MODEL: Keys[bool] = Keys("remove {}")
LOAD_FOUND: Keys[bool] = Keys("found {}")
GET_REAL: Keys[bool] = Keys("get {}")
READ_STORIES: Keys[bool] = Keys("stories {}")
ACCEPT_TERMS: Keys[bool] = Keys("accept {}")
STORY_ON: Keys[bool] = Keys("story on {}")
READ_STORY: Keys[bool] = Keys("read {}")
LOCAL_MODEL: Key[str] = Key("local-model")
LOCAL_DEVICE: Key[str] = Key("local-device")
LOCAL_PRECISION: Keys[str] = Keys("local-precision {}")
LOCAL_LENGTH: Key[int] = Key("local-length")
LOCAL_LIBRARY: Key[str] = Key("local-library")
LOCAL_REVISION: Key[str] = Key("local-revision")
LOAD_LOCAL: Key[bool] = Key("local-load")
REMOTE_KIND: Key[str] = Key("remote-kind")
REMOTE_ADDRESS: Key[str] = Key("remote-address")
REMOTE_MODEL: Key[str] = Key("remote-model")
REMOTE_NAME: Key[str] = Key("remote-name")
REMOTE_TOKEN: Keys[str] = Keys("remote-token {}")
REMOTE_TOKEN_TURN: Key[int] = Key("remote-token-turn")
"""Counts the tokens taken: each has a field of its own, so that the browser forgets it too."""
REMOTE_PROBLEM: Key[AppError] = Key("remote-problem")
CONNECT: Key[bool] = Key("remote-connect")
