"""The grammar of the .loops language, packaged as data (loops.lark)."""
