mod transition;
