"""Run the notebooks of the documentation and save their outputs.

python tools/run_notebooks.py [docs/notebooks/first-steps.ipynb ...]

Each one runs in a new folder, without the cell that installs ganzoo. By default all are run. Needs
the packages nbclient and ipykernel (the extra `test`).
"""

import re
import tempfile
from pathlib import Path

import nbformat
import tyro
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parent.parent / "docs" / "notebooks"
INSTALLS = "skip-execution"  # tag of the cell that installs ganzoo
PARAMETERS = "parameters"  # tag of the cell whose numbers tests make smaller


def run(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Run a notebook in a folder; its outputs are added.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell fails.
    """
    client = NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": str(folder)}})
    client.skip_cells_with_tag = INSTALLS
    client.execute()


def clean(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Remove what differs between machines: times, paths and progress bars."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            for output in cell.outputs:
                for part in (output, output.get("data", {})):
                    for key in ("text", "text/plain"):
                        if key in part:
                            part[key] = re.sub(f"{re.escape(str(folder))}/?", "", part[key])
    notebook.metadata.pop("language_info", None)


def main(notebooks: tyro.conf.Positional[tuple[Path, ...]] = ()) -> None:
    for path in notebooks or sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        with tempfile.TemporaryDirectory() as folder:
            run(notebook, Path(folder))
            clean(notebook, Path(folder))
        nbformat.write(notebook, path)
        print(path)


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
