mod url;
