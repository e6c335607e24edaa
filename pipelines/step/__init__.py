"""What a step is (``step``), what it is given (``context``) and what it counts (``counts``), for every room above."""
