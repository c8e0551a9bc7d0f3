// Sends the page's form by itself: the answer to an application goes on by POST. Without scripts
// the button does.
document.querySelector("form[data-submit]").submit();
