"""What torchrun starts in `test_distributed`: train the toy with the options given as JSON, into a folder."""

import json
import sys
from pathlib import Path

from safetensors.torch import save_file

from tests.training.toy import Toy
from unrolled.training.checkpoint import model_tensors
from unrolled.training.distributed import workers
from unrolled.training.loop import Trainer

if __name__ == "__main__":
    folder, options = Path(sys.argv[1]), json.loads(sys.argv[2])
    with workers("cpu") as together:
        recipe = Toy(**options)
        trainer = Trainer(recipe, recipe.task(), folder, together)
        trainer.train()
        assert type(trainer.parallel).__name__ == "DistributedDataParallel"
        save_file(model_tensors(trainer.model), folder / f"rank{together.rank}.safetensors")
