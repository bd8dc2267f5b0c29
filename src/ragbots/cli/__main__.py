from ragbots.cli import main

main()
