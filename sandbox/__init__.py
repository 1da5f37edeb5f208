"""One command from a bare machine to the running suite, another to its tests.

``python3 -m sandbox`` needs nothing but Python 3.10 and its standard library: it gets Odoo 19,
its Python requirements and PostgreSQL, keeps them in a cache outside the checkout and works on
databases copied from templates. Each concern has its module:

===================  ===========================================================================
``cli``              the commands and their options
``ui``               messages, progress, questions, and :class:`~sandbox.ui.Problem`
``paths``            where things are kept
``cache``            locks, keys and installs that are either complete or absent
``process``          running other programs with a log and a readable failure
``system``           distribution packages, ports, disk space
``odoo_source``      where Odoo comes from
``python_env``       the virtual environment
``postgres``         the private cluster, or the server named by PGHOST
``database``         templates, copies, add-on updates
``environment``      all of the above put together, for the commands
``server``           up and stop
``testing``          test; ``pytest_plugin`` is loaded into that pytest
``core_tests``       Odoo's own tests with and without the suite
``benchmark``        bench
``importing``        import; ``run_import`` is its part inside Odoo
``i18n``             terms and translations; ``po_files`` reads and writes them
``doctor``           what is there, what is missing, how to get it
===================  ===========================================================================
"""
