# SPDX-License-Identifier: Apache-2.0
"""The learned coordinator against the others, the best known costs and the paper's figure."""
