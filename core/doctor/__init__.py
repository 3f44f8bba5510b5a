"""What an operator asks first when something is wrong: is everything there, may it be written, is it whole?

python -m core.doctor                     looks, changes nothing, exit status 1 when something does not work
python -m core.doctor --out report.txt    the same report in a file; it holds no secret
python -m core.doctor backup              a copy of the SQLite database now
python -m core.doctor restore [NAME]      lists the copies, or puts one in the database's place
"""

from core.doctor.report import report
from core.doctor.symptoms import Symptom, examine

__all__ = ["Symptom", "examine", "report"]
