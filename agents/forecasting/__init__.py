# SPDX-License-Identifier: Apache-2.0
"""Forecasting of short series: tasks, trivial predictors, recurrent models, training.

The protocol is the one of quantum fast weight programmers (arXiv 2402.17760): windows of four
inputs, the first two thirds for training, RMSprop, the loss on the last step of each window.
"""
