"""Widgets that answer in a live notebook, in a static page, without JavaScript, and on paper.

Arrays and labels go in; none of these imports `unrolled.nn`. Each is imported from its own module:
`unrolled.widgets.attention_map.AttentionMap`, `unrolled.widgets.explore.explore`, and so on.
"""
