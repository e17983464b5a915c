"""Programs as learners write them, right in many styles, or with one mistake of the doctor's catalogue planted.

`writing` writes a program from a table of lines, `mistakes` replaces lines in it, `styles` has right programs that look
otherwise, `running` tells whether two programs do the same.
"""
