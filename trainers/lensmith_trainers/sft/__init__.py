"""The program `sft`: supervised fine-tuning of any Hugging Face vision-language model on conversations."""
