"""What only the page *What do people say?* uses: the queue of a reviewer, and how far reviewers agree."""
