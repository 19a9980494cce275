"""The module that an action plugin needs beside it; never executed."""
