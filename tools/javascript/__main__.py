import sys

from tools.javascript import main

sys.exit(main())
