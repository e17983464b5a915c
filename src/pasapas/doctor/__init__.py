"""The gradient doctor: reads a learner's own backpropagation code and says which mistake it makes."""
